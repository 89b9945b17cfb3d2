"""Lowering the rate of inference while the machine is above its limits."""

from __future__ import annotations

_PATIENCE_S = 3.0
_RECOVERY_S = 10.0
_STEP_DOWN = 0.8
_STEP_UP = 1.25
_LOWEST_HZ = 0.5


class LoadShedder:
    """
    Finds the highest rate at which the machine stays within its limits, step by step.

    Above a limit for some seconds it takes a fifth off the rate; well below every limit for
    longer it gives a quarter back, until nothing is held back any more. Between the two it
    keeps the rate. Nothing here knows ROS.
    """

    def __init__(self) -> None:
        self._limit_hz = 0.0
        self._highest_hz = 0.0
        self._since_s: float | None = None
        self._is_over = False

    @property
    def limit_hz(self) -> float:
        """Return the rate that is not to be exceeded, 0 for none."""
        return self._limit_hz

    def update(self, now_s: float, load: float | None, rate_hz: float | None) -> bool:
        """
        Take the state of this moment.

        :param load: what is used of the limit that is nearest, above 1 for too much; None
            where nothing is known, which changes nothing
        :param rate_hz: how many batches are computed a second, or None
        :return: whether the limit changed
        """
        is_over = load is not None and load > 1
        is_well_below = load is not None and load < 0.9
        if is_over != self._is_over or not (is_over or is_well_below):
            self._is_over, self._since_s = is_over, None
        if self._since_s is None:
            self._since_s = now_s
        waited_s = now_s - self._since_s
        before_hz = self._limit_hz
        if is_over and waited_s >= _PATIENCE_S:
            self._lower(rate_hz)
            self._since_s = now_s
        elif is_well_below and self._limit_hz and waited_s >= _RECOVERY_S:
            self._limit_hz *= _STEP_UP
            if self._limit_hz >= self._highest_hz:
                self.reset()
            self._since_s = now_s
        return self._limit_hz != before_hz

    def reset(self) -> None:
        """Hold nothing back."""
        self._limit_hz = 0.0

    def _lower(self, rate_hz: float | None) -> None:
        if not self._limit_hz:
            if rate_hz is None:  # nothing is computed, so there is nothing to shed
                return
            self._highest_hz = self._limit_hz = rate_hz
        self._limit_hz = max(self._limit_hz * _STEP_DOWN, min(_LOWEST_HZ, self._highest_hz))


def effective_rate_hz(*limits_hz: float) -> float:
    """Return the lowest of several limits of which 0 is none, or 0."""
    return min((limit for limit in limits_hz if limit > 0), default=0.0)
