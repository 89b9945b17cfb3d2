"""How old something is, and how long it may wait."""

from __future__ import annotations

from collections.abc import Callable

from espnet_ros.config import FreeSpaceSettings
from espnet_ros.nodes.ros.messages.stamps import NS_PER_S, seconds_since


class Ages:
    """
    Tells how old things are and how long they may wait.

    :param now_ns: reads the node's clock, 0 where simulated time has not begun
    """

    def __init__(
        self, now_ns: Callable[[], int], settings: Callable[[], FreeSpaceSettings]
    ) -> None:
        self.now_ns = now_ns
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

    def age_s(self, time_ns: int) -> float | None:
        """Return the time since a stamp, below 0 where it is ahead; None where it is not known."""
        return seconds_since(time_ns, self.now_ns())

    def is_over(self, time_ns: int, waited_s: float) -> bool:
        """
        Return whether something has waited too long.

        :param time_ns: its stamp, which counts where there is a greatest age
        :param waited_s: how long it has waited, which counts where there is none
        """
        if self.limit_s:
            age_s = self.age_s(time_ns)
            return age_s is None or abs(age_s) > self.limit_s
        return waited_s > self.silence_s


def in_seconds(time_ns: int) -> str:
    return f'{time_ns / NS_PER_S:.3f}'
