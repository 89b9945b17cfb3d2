"""When a camera on demand publishes: some images are under way, and none pushes another out."""

from __future__ import annotations

from collections import deque
import math

UNDER_WAY = 3
"""Images of a camera that may be under way: one to the node, one that waits there, and one with
the device."""

GAP_S = 0.001
"""Between two images of a camera; of two at once the node, which keeps the newest, takes one."""

LOST_AFTER_S = 1.0
"""Time without an arrival after which what is under way counts as lost."""


class Demand:
    """
    Keeps account of what is under way.

    Times are by a clock that never goes back, in seconds.
    """

    def __init__(self, cameras: int) -> None:
        self._under_way: list[deque[int]] = [deque() for _ in range(cameras)]
        self._published_s = [-math.inf] * cameras
        self._told_s: float | None = None

    def due(self, now_s: float) -> list[int]:
        """Return the cameras that are to publish an image now."""
        if self._told_s is None:
            self._told_s = now_s
        if now_s - self._told_s >= LOST_AFTER_S:
            self._told_s = now_s
            for stamps in self._under_way:
                stamps.clear()
        return [
            index
            for index, stamps in enumerate(self._under_way)
            if len(stamps) < UNDER_WAY and now_s - self._published_s[index] >= GAP_S
        ]

    def wait_s(self) -> float:
        """Return how long to wait for an arrival before asking again."""
        has_room = any(len(stamps) < UNDER_WAY for stamps in self._under_way)
        return GAP_S if has_room else LOST_AFTER_S

    def published(self, index: int, stamp_ns: int, now_s: float) -> None:
        """Take note that a camera has published an image."""
        self._under_way[index].append(stamp_ns)
        self._published_s[index] = now_s

    def arrived(self, index: int, stamp_ns: int, now_s: float) -> None:
        """Take note that what became of an image has arrived; those before it are done too."""
        self._told_s = now_s
        stamps = self._under_way[index]
        while stamps and stamps[0] <= stamp_ns:
            stamps.popleft()
