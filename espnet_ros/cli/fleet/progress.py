"""Progress of a fleet: one bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import time

from espnet_ros.cli.console import ERROR
from espnet_ros.cli.progress import LINE_EVERY_S, make_bar
from espnet_ros.fleet.unit import Finished
from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn


class FleetProgress:
    """
    Counts units, frames and failures, and shows how far a fleet is.

    :param doing: what is done, for example ``segmenting``
    :param units: what the units are, in words
    :ivar done: units that came to their end
    :ivar failed: those of them that failed
    """

    def __init__(self, total: int, doing: str = 'segmenting', units: str = 'recordings') -> None:
        self.done = 0
        self.failed = 0
        self._earlier = 0
        self._total = total
        self._doing = doing
        self._units = units
        self._frames = 0
        self._frames_of_unit = 0
        self._start_s = self._line_s = time.perf_counter()
        self._end_s: float | None = None
        self._bar = make_bar(
            units,
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            'left',
            '{task.fields[said]}',
        )
        self._task = self._bar.add_task('', total=total, said='')

    @property
    def elapsed_s(self) -> float:
        """Return the seconds since the first unit began."""
        return (self._end_s or time.perf_counter()) - self._start_s

    @property
    def rate_hz(self) -> float:
        return (self._frames + self._frames_of_unit) / max(self.elapsed_s, 1e-9)

    def count_frame(self) -> None:
        self._frames_of_unit += 1
        self._show()

    def finish(self, end: Finished) -> None:
        self.done += 1
        self.failed += end.report is None
        self._frames_of_unit = 0
        if end.was_done:
            self._earlier += 1
        elif end.report is not None:
            self._frames += end.report.frames
        self._bar.update(self._task, completed=self.done)
        self._show()

    def __enter__(self) -> FleetProgress:
        self._bar.start()
        self._start_s = self._line_s = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self._end_s = time.perf_counter()
        self._bar.stop()

    def _show(self) -> None:
        said = f'{self.rate_hz:.1f} frames/s, {self.failed} failed'
        if ERROR.is_terminal:
            self._bar.update(self._task, said=said)
        elif time.perf_counter() - self._line_s >= LINE_EVERY_S:
            self._line_s = time.perf_counter()
            new = self.done - self._earlier
            left_s = (self._total - self.done) * self.elapsed_s / max(new, 1)
            left = f', {left_s:.0f} s left' if new else ''
            ERROR.print(
                f'{self._doing}: {self.done} of {self._total} {self._units}, {said}{left}',
                soft_wrap=True,
            )
