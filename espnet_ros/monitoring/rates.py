"""Rates of events, by a clock that the caller reads."""

from __future__ import annotations

from collections import deque

MOST_EVENTS = 4096


class RateMeter:
    """
    Counts events over a sliding window.

    Between events the rate falls as the wait grows, so a source that stopped does not keep
    its last rate; one that returns has its true rate from the second event on. Two events
    are kept however old they are, so a source slower than the window has a rate too, and at
    most MOST_EVENTS whatever their times are: stamps of a camera need not move at all.

    It is not locked; one thread at a time uses it.
    """

    def __init__(self, window_s: float = 2.0) -> None:
        self._window_s = window_s
        self._times_s: deque[float] = deque(maxlen=MOST_EVENTS)

    def add(self, time_s: float) -> None:
        """
        Take an event.

        :param time_s: when it was, in seconds; a time before the last one starts again, as
            a clock that was set back or a recording that loops does
        """
        if self._times_s and time_s < self._times_s[-1]:
            self._times_s.clear()
        self._times_s.append(time_s)
        while len(self._times_s) > 2 and self._times_s[0] < time_s - self._window_s:
            self._times_s.popleft()

    def rate_hz(self, now_s: float | None = None) -> float | None:
        """
        Return the events per second, or None where it is not known.

        :param now_s: the time now; None asks for the rate up to the last event
        """
        if len(self._times_s) < 2:
            return None
        span_s = self._times_s[-1] - self._times_s[0]
        if span_s <= 0.0:
            return None
        rate_hz = (len(self._times_s) - 1) / span_s
        if now_s is None or now_s <= self._times_s[-1]:
            return rate_hz
        return min(rate_hz, 1.0 / (now_s - self._times_s[-1]))

    def since_last_s(self, now_s: float) -> float | None:
        """Return the seconds since the last event, or None where there was none."""
        return now_s - self._times_s[-1] if self._times_s else None
