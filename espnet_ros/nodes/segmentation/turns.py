"""Threads that pass through a section one after another, in the order of their tickets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import threading


class Turns:
    """
    A section that threads enter in the order of their tickets: 0, 1, 2 ...

    Whoever has a ticket must enter once, or those behind wait for ever.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._next = 0

    @contextmanager
    def take(self, ticket: int) -> Iterator[None]:
        """Wait for the turn of a ticket; the next one's begins when the context ends."""
        with self._changed:
            self._changed.wait_for(lambda: self._next == ticket)
        try:
            yield
        finally:
            with self._changed:
                self._next += 1
                self._changed.notify_all()
