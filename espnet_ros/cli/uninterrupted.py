"""What Ctrl-C and TERM have to wait for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import signal
import threading


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl-C and TERM wait for what belongs together: a frame of the video and its record."""
    if threading.current_thread() is not threading.main_thread():  # no signal comes here
        yield
        return
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt
