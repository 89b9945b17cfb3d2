"""What stamps say: how old something is, how long it may wait, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from espnet_ros.config import FreeSpaceSettings

_REPEATS = 5
_FAR_AHEAD_S = 1.0


def nanoseconds(stamp: Any) -> int:
    """Return a builtin_interfaces/Time in nanoseconds."""
    return int(stamp.sec) * 10**9 + int(stamp.nanosec)


def in_seconds(stamp_ns: int) -> str:
    """Return a stamp as it is shown."""
    return f'{stamp_ns / 1e9:.3f}'


@dataclass(frozen=True)
class ClockReading:
    """
    What the node's clock shows.

    :param now_ns: the time
    :param is_simulated: whether it follows /clock
    """

    now_ns: int
    is_simulated: bool = False

    @property
    def is_missing(self) -> bool:
        """Return whether it waits for the first /clock."""
        return self.is_simulated and self.now_ns == 0


class Ages:
    """
    Tells how old things are and how long they may wait.

    :param read_clock: reads the node's clock
    :param settings: returns the settings of this moment
    """

    def __init__(
        self, read_clock: Callable[[], ClockReading], settings: Callable[[], FreeSpaceSettings]
    ) -> None:
        self.read_clock = read_clock
        self._settings = settings

    @property
    def limit_s(self) -> float:
        """Return the age at which a mask is dropped, or 0 where that is off."""
        return self._settings().max_age_ms / 1e3

    @property
    def silence_s(self) -> float:
        """Return how long a camera may be silent before that is an error."""
        return 2 * self._settings().diagnostics.image_timeout_s

    @property
    def patience_s(self) -> float:
        """Return how long anything is waited for, or counts as current."""
        return self.limit_s or self.silence_s

    def age_s(self, stamp_ns: int) -> float:
        """Return the time since a stamp, by the node's clock."""
        return (self.read_clock().now_ns - stamp_ns) / 1e9

    def is_over(self, stamp_ns: int, waited_s: float) -> bool:
        """
        Return whether something has waited too long.

        :param stamp_ns: its stamp, which counts where there is a greatest age
        :param waited_s: how long it has waited, which counts where there is none
        """
        if self.limit_s:
            return abs(self.age_s(stamp_ns)) > self.limit_s
        return waited_s > self.silence_s


class StampWatch:
    """Watches the stamps of one camera, and names what is wrong with them by its cause."""

    def __init__(self) -> None:
        self._last_ns: int | None = None
        self._repeats = 0

    def add(self, stamp_ns: int) -> None:
        """Take the stamp of a mask that came."""
        self._repeats = self._repeats + 1 if stamp_ns == self._last_ns else 0
        self._last_ns = stamp_ns

    def fault(self, clock: ClockReading, patience_s: float) -> str:
        """
        Return what is wrong with the stamps, or nothing.

        :param patience_s: how far ahead of the clock a stamp may be, at most a second
        """
        stamp_ns = self._last_ns
        if stamp_ns is None:
            return ''
        if clock.is_missing:
            return 'use_sim_time is set, and nobody publishes /clock: there is no time yet'
        if stamp_ns <= 0:
            return f'the stamp is {in_seconds(stamp_ns)}: the camera driver sets none'
        if self._repeats >= _REPEATS:
            return (
                f'the last {self._repeats + 1} masks have one stamp, {in_seconds(stamp_ns)}: '
                'the camera driver does not advance it'
            )
        ahead_s = (stamp_ns - clock.now_ns) / 1e9
        if ahead_s > min(patience_s, _FAR_AHEAD_S):
            return (
                f'the stamp is {ahead_s:.3f} s ahead of the clock of this node: the clocks differ '
                '(use_sim_time, NTP, PTP)'
            )
        return ''
