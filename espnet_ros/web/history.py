"""The numbers of the last minutes, as the page draws them."""

from __future__ import annotations

from collections import deque

from espnet_ros.web.records import Sample

KEPT_S = 300
PERIOD_S = 1.0

COLUMNS = (
    'time_s',
    'masks_hz',
    'images_hz',
    'latency_p50_ms',
    'latency_p99_ms',
    'dropped_hz',
    'power_w',
    'frame_energy_j',
    'temperature_c',
    'throttled',
)
"""Of a row; the unit is in the name, dropped_hz is images dropped per second."""

Row = tuple[float | None, ...]


class History:
    """
    Keeps a row per second of the last five minutes.

    It is not locked; its owner sees to that.
    """

    def __init__(self) -> None:
        self._rows: deque[Row] = deque(maxlen=int(KEPT_S / PERIOD_S))
        self._before: tuple[float, int] | None = None

    @property
    def rows(self) -> tuple[Row, ...]:
        """Return the rows, oldest first; see :data:`COLUMNS`."""
        return tuple(self._rows)

    def add(self, time_s: float, sample: Sample) -> Row | None:
        """
        Keep a sample, if a second has passed since the last one.

        :param time_s: when it was taken, seconds since 1970; one before the last starts again, as
            after the clock was set
        :return: its row, or None where the second is not over
        """
        if self._rows and time_s < (self._rows[-1][0] or 0.0):
            self._rows.clear()
            self._before = None
        if self._rows and time_s - (self._rows[-1][0] or 0.0) < 0.9 * PERIOD_S:
            return None
        row = (
            round(time_s, 2),
            sample.masks_hz,
            sample.images_hz,
            sample.latency_p50_ms,
            sample.latency_p99_ms,
            self._dropped_hz(time_s, sample.dropped),
            sample.power_w,
            sample.frame_energy_j,
            sample.temperature_c,
            None if sample.throttling is None else float(bool(sample.throttling)),
        )
        self._rows.append(row)
        return row

    def _dropped_hz(self, time_s: float, dropped: int | None) -> float | None:
        """Return the images dropped per second; a count that fell was reset."""
        before = self._before
        self._before = None if dropped is None else (time_s, dropped)
        if before is None or dropped is None or dropped < before[1] or time_s <= before[0]:
            return None
        return (dropped - before[1]) / (time_s - before[0])
