"""What is wrong with the stamps of one camera's images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

AHEAD_LIMIT_S = 0.1
RECENT_S = 2.0


class StampFault(Enum):
    """A stamp that tells less than it should, the worst first."""

    ZERO = 'zero'
    REPEATED = 'repeated'
    AHEAD = 'ahead'
    BACK = 'back'


@dataclass(frozen=True)
class StampSnapshot:
    """
    The stamps at one moment.

    :param counts: images with each fault; empty while no stamp was looked at
    :param fault: the worst one of the last seconds, or of the newest image; None where there
        is none
    :param difference_s: how far the stamp was ahead of the clock, or behind the one before it
    """

    counts: Mapping[StampFault, int]
    fault: StampFault | None = None
    difference_s: float = 0.0


class StampRecord:
    """
    Watches the stamps of one camera's images.

    It is not locked; one thread at a time uses it.
    """

    def __init__(self) -> None:
        self._counts: dict[StampFault, int] = {}
        self.restart()

    def restart(self) -> None:
        """Begin again with the next image; counts go on."""
        self._last_ns: int | None = None
        self._recent: dict[StampFault, tuple[float, float]] = {}

    def received(self, now_s: float, stamp_ns: int) -> bool:
        """
        Take the stamp of an image that came.

        :param now_s: by a clock that never goes back
        :param stamp_ns: the stamp, 0 where it was never set
        :return: whether the image can have an age: the stamp is set, and its own
        """
        last_ns, self._last_ns = self._last_ns, stamp_ns
        fault, behind_s = None, 0.0
        if not stamp_ns:
            fault = StampFault.ZERO
        elif last_ns is not None and stamp_ns <= last_ns:
            fault = StampFault.BACK if stamp_ns < last_ns else StampFault.REPEATED
            behind_s = (last_ns - stamp_ns) / 1e9
        self._note(now_s, (StampFault.ZERO, StampFault.REPEATED, StampFault.BACK), fault, behind_s)
        return fault in (None, StampFault.BACK)

    def compared(self, now_s: float, ahead_s: float) -> bool:
        """
        Take how far a stamp was ahead of the clock when its image came.

        :return: whether it was not
        """
        fault = StampFault.AHEAD if ahead_s > AHEAD_LIMIT_S else None
        self._note(now_s, (StampFault.AHEAD,), fault, ahead_s)
        return fault is None

    def snapshot(self) -> StampSnapshot:
        counts = dict(self._counts)
        for fault in StampFault:
            if fault in self._recent:
                return StampSnapshot(counts, fault, self._recent[fault][1])
        return StampSnapshot(counts)

    def _note(
        self,
        now_s: float,
        looked_for: tuple[StampFault, ...],
        found: StampFault | None,
        difference_s: float,
    ) -> None:
        """Keep a fault, and forget those that are over for a while."""
        if not self._counts:
            self._counts = dict.fromkeys(StampFault, 0)
        if found is not None:
            self._counts[found] += 1
            self._recent[found] = (now_s, difference_s)
        for fault in looked_for:
            if fault in self._recent and now_s - self._recent[fault][0] > RECENT_S:
                del self._recent[fault]
