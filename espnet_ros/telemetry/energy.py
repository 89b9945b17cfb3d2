"""
Energy from power readings.

Where the hardware counts energy, its count is used; elsewhere power is integrated by the
trapezoidal rule over the times at which it was really read. Across a gap nothing is made
up: the time counts as not covered.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
import threading

from espnet_ros.telemetry.power_sensor import PowerReading

_LEAST_COVERED = 0.9


@dataclass(frozen=True)
class EnergyWindow:
    """
    The energy of a stretch of time.

    :param covered_s: for how long of it the power is known
    :param covered_j: energy of that part, in joules
    """

    duration_s: float
    covered_s: float
    covered_j: float

    @property
    def mean_power_w(self) -> float | None:
        """Return the mean power, or None where less than nine tenths are covered."""
        if self.covered_s <= 0 or self.covered_s < _LEAST_COVERED * self.duration_s:
            return None
        return self.covered_j / self.covered_s

    @property
    def energy_j(self) -> float | None:
        power_w = self.mean_power_w
        return None if power_w is None else power_w * self.duration_s

    def above(self, idle_w: float | None) -> float | None:
        """Return the mean power above the idle one in watts, or None where one is unknown."""
        power_w = self.mean_power_w
        return None if power_w is None or idle_w is None else power_w - idle_w


@dataclass(frozen=True)
class _Segment:
    """The time between two readings, across which the power changes evenly."""

    start_s: float
    end_s: float
    energy_j: float
    start_w: float
    end_w: float

    def energy_until(self, time_s: float) -> float:
        span_s = self.end_s - self.start_s
        share = min(max((time_s - self.start_s) / span_s, 0.0), 1.0)
        # Linear power from start to end; scaled, where the hardware counted the energy.
        linear_j = span_s * (self.start_w + self.end_w) / 2
        until_j = span_s * share * (self.start_w + share * (self.end_w - self.start_w) / 2)
        if linear_j <= 0 or until_j < 0:
            return self.energy_j * share
        return self.energy_j * until_j / linear_j


class EnergyMeter:
    """
    Adds up readings, and tells the energy of windows of time.

    It is used from any thread.

    :param kept_s: how far back windows may reach, in seconds
    """

    def __init__(self, kept_s: float = 60.0) -> None:
        self._kept_s = kept_s
        self._lock = threading.Lock()
        self._segments: deque[_Segment] = deque()
        self._latest: PowerReading | None = None
        self._total_j = 0.0
        self._covered_s = 0.0

    def add(self, reading: PowerReading, longest_gap_s: float) -> None:
        """
        Take a reading.

        :param longest_gap_s: two readings that are further apart tell nothing of the time
            between, unless the hardware counted
        """
        with self._lock:
            before, self._latest = self._latest, reading
            if before is None or reading.time_s <= before.time_s:
                return
            energy_j = _energy_between(before, reading, longest_gap_s)
            if energy_j is None:
                return
            self._covered_s += reading.time_s - before.time_s
            self._total_j += energy_j
            mean_w = energy_j / (reading.time_s - before.time_s)
            self._segments.append(
                _Segment(
                    before.time_s,
                    reading.time_s,
                    energy_j,
                    mean_w if before.total_w is None else before.total_w,
                    mean_w if reading.total_w is None else reading.total_w,
                )
            )
            while self._segments[0].end_s < reading.time_s - self._kept_s:
                self._segments.popleft()

    @property
    def total_j(self) -> float | None:
        """Return the energy of all time that is covered, or None where none is."""
        with self._lock:
            return self._total_j if self._covered_s else None

    @property
    def covered_s(self) -> float:
        """Return for how long the power is known, in seconds."""
        with self._lock:
            return self._covered_s

    def window(self, start_s: float, end_s: float) -> EnergyWindow:
        """Return the energy between two times of the monotonic clock."""
        covered_s = covered_j = 0.0
        with self._lock:
            for segment in reversed(self._segments):
                if segment.end_s <= start_s:
                    break
                start, end = max(start_s, segment.start_s), min(end_s, segment.end_s)
                if end > start:
                    covered_s += end - start
                    covered_j += segment.energy_until(end) - segment.energy_until(start)
        return EnergyWindow(max(end_s - start_s, 0.0), covered_s, covered_j)


def _energy_between(
    before: PowerReading, reading: PowerReading, longest_gap_s: float
) -> float | None:
    """Return the energy between two readings in joules, or None where it is not known."""
    if before.energy_j is not None and reading.energy_j is not None:
        counted_j = reading.energy_j - before.energy_j
        return counted_j if counted_j >= 0 else None
    span_s = reading.time_s - before.time_s
    if before.total_w is None or reading.total_w is None or span_s > longest_gap_s:
        return None
    return span_s * (before.total_w + reading.total_w) / 2
