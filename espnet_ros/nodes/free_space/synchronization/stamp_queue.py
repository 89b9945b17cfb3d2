"""What waits for something that may still come: in order of stamps, and bounded."""

from __future__ import annotations

from bisect import insort_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from espnet_ros.exceptions import InputError

T = TypeVar('T')

MOST_WAITING = 32
"""Masks that wait at most: about a second of a fast camera, and tens of megabytes."""


class PendingError(InputError):
    """Something that a mask needs is not there yet, and may still come."""


@dataclass(eq=False)
class Waiting(Generic[T]):
    """
    One thing that waits.

    :param since_s: when it came, by time.monotonic
    :param kind: what it waits for, for example ``pose``
    :param reason: the same in words; empty before it had to wait
    :param ready_s: since when it need not wait any more, by time.monotonic; None before
    """

    stamp_ns: int
    item: T
    since_s: float
    kind: str = ''
    reason: str = ''
    ready_s: float | None = None


class StampQueue(Generic[T]):
    """
    Keeps what waits, oldest stamp first.

    :param limit: how many may wait
    """

    def __init__(self, limit: int = MOST_WAITING) -> None:
        self._limit = limit
        self._entries: list[Waiting[T]] = []

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Waiting[T]]:
        """Iterate over those that wait now, oldest stamp first."""
        return iter(tuple(self._entries))

    def add(self, stamp_ns: int, item: T, since_s: float) -> Waiting[T] | None:
        """Take one more, and return the oldest if that is one too many."""
        insort_right(self._entries, Waiting(stamp_ns, item, since_s), key=lambda e: e.stamp_ns)
        return self._entries.pop(0) if len(self._entries) > self._limit else None

    def remove(self, entry: Waiting[T]) -> None:
        """Take one out that waits."""
        self._entries.remove(entry)

    def pop_before(self, stamp_ns: int) -> list[Waiting[T]]:
        """Take those of earlier stamps out, oldest first."""
        early = [entry for entry in self._entries if entry.stamp_ns < stamp_ns]
        del self._entries[: len(early)]
        return early

    def clear(self) -> None:
        self._entries.clear()
