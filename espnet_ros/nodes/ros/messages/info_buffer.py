"""The last camera_info messages of one camera, by their stamps."""

from __future__ import annotations

from bisect import bisect_right

from sensor_msgs.msg import CameraInfo

CAPACITY = 256


class InfoBuffer:
    """
    Keeps camera_info in the order of the stamps, the oldest going first.

    When stamps go back, as when a simulation or a recording starts again, those that are
    later are of an earlier run and are dropped. It is not locked; one thread at a time uses it.

    :param capacity: how many are kept; images wait for their masks meanwhile
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._stamps_ns: list[int] = []
        self._infos: list[CameraInfo] = []

    def __len__(self) -> int:
        return len(self._infos)

    def put(self, stamp_ns: int, info: CameraInfo) -> None:
        """Keep a message; it takes the place of one with the same stamp."""
        self.drop_from(stamp_ns)
        if len(self._infos) == self._capacity:
            del self._stamps_ns[0], self._infos[0]
        self._stamps_ns.append(stamp_ns)
        self._infos.append(info)

    def drop_from(self, stamp_ns: int) -> None:
        while self._stamps_ns and self._stamps_ns[-1] >= stamp_ns:
            self._stamps_ns.pop()
            self._infos.pop()

    def clear(self) -> None:
        self._stamps_ns.clear()
        self._infos.clear()

    def at_or_before(self, stamp_ns: int) -> tuple[int, CameraInfo] | None:
        """Return stamp and message of the last one that is not later, or None."""
        index = bisect_right(self._stamps_ns, stamp_ns)
        return (self._stamps_ns[index - 1], self._infos[index - 1]) if index else None

    def reaches(self, stamp_ns: int) -> bool:
        return bool(self._stamps_ns) and self._stamps_ns[-1] >= stamp_ns

    def oldest_ns(self) -> int | None:
        return self._stamps_ns[0] if self._stamps_ns else None
