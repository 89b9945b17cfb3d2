"""Reads frames in a thread of its own, so that decoding and inference overlap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
import queue
import threading
from typing import TypeVar

T = TypeVar('T')

_WAIT_S = 0.1


@contextmanager
def read_ahead(
    items: Iterable[T], limit: int | None = None, depth: int = 2
) -> Iterator[Iterator[T]]:
    """
    Iterate in another thread, a few items ahead.

    Within the context the iterator gives the items in order; an error of ``items`` is raised
    where the item would have come. Leaving the context ends the thread after its item.

    :param items: iterated in the other thread only
    :param limit: how many items to take; None takes all
    """
    waiting: queue.Queue[tuple[bool, T | BaseException | None]] = queue.Queue(depth)
    stopped = threading.Event()

    def put(is_item: bool, value: T | BaseException | None) -> None:
        while not stopped.is_set():
            try:
                waiting.put((is_item, value), timeout=_WAIT_S)
            except queue.Full:
                continue
            return

    def read() -> None:
        try:
            for item in islice(items, limit):
                put(True, item)
                if stopped.is_set():
                    return
            put(False, None)
        except BaseException as error:  # noqa: BLE001  the thread's outermost frame
            put(False, error)

    def give() -> Iterator[T]:
        while True:
            is_item, value = waiting.get()
            if isinstance(value, BaseException):
                raise value
            if not is_item:
                return
            yield value  # type: ignore[misc]

    thread = threading.Thread(target=read, name='read_ahead', daemon=True)
    thread.start()
    try:
        yield give()
    finally:
        stopped.set()
        thread.join(timeout=5)
