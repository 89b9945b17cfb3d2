"""Progress of a command: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

from collections.abc import Callable
import time

from espnet_ros.cli.console import ERROR
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TimeRemainingColumn,
)
from rich.text import Text

LINE_EVERY_S = 10.0


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        rate_hz = task.finished_speed or task.speed
        return Text('' if rate_hz is None else f'{rate_hz:.1f} frames/s', style='cyan')


class CountColumn(ProgressColumn):
    """Shows 3/20, or 3/? where the end is not known; rich 11 (Ubuntu 22.04) has none such."""

    def render(self, task: Task) -> Text:
        total = '?' if task.total is None else f'{int(task.total)}'
        return Text(f'{int(task.completed):{len(total)}d}/{total}', style='progress.download')


class FrameProgress:
    """
    Counts frames and shows how far a command is.

    On a terminal it is a bar with frames per second and the remaining time; elsewhere a plain
    line every ten seconds, so that logs stay readable.

    :param what: what is done, for example ``segmenting``
    :param total: frames to come, or None where that is unknown
    :param on_frame: is called with each frame in place of a bar and lines, where it is given
    """

    def __init__(
        self, what: str, total: int | None, on_frame: Callable[[], None] | None = None
    ) -> None:
        self.done = 0
        self._on_frame = on_frame
        self._what = what
        self._total = total
        self._start_s = self._line_s = time.perf_counter()
        is_shown = ERROR.is_terminal and on_frame is None
        self._bar = _frame_bar(total) if is_shown else None
        if self._bar is not None:
            self._task = self._bar.add_task(what, total=total)

    @property
    def elapsed_s(self) -> float:
        """Return the seconds since the first frame began."""
        return time.perf_counter() - self._start_s

    def advance(self, count: int = 1) -> None:
        self.done += count
        if self._on_frame is not None:
            self._on_frame()
        elif self._bar is not None:
            self._bar.advance(self._task, count)
        elif time.perf_counter() - self._line_s >= LINE_EVERY_S:
            self._line_s = time.perf_counter()
            ERROR.print(self._line(), soft_wrap=True)

    def __enter__(self) -> FrameProgress:
        if self._bar is not None:
            self._bar.start()
        self._start_s = self._line_s = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _line(self) -> str:
        rate_hz = self.done / self.elapsed_s
        line = f'{self._what}: {self.done}'
        if self._total is None:
            return f'{line} frames, {rate_hz:.1f} frames/s'
        remaining_s = (self._total - self.done) / rate_hz
        return f'{line} of {self._total} frames, {rate_hz:.1f} frames/s, {remaining_s:.0f} s left'


def _frame_bar(total: int | None) -> Progress:
    if total is None:
        spinner = (SpinnerColumn(), '{task.description}', '{task.completed} frames')
        return make_bar(*spinner, _RateColumn())
    count = (CountColumn(), TimeRemainingColumn(), 'left')
    return make_bar('{task.description}', BarColumn(bar_width=None), *count, _RateColumn())


def make_bar(*columns: str | ProgressColumn) -> Progress:
    is_wide = any(isinstance(c, BarColumn) and c.bar_width is None for c in columns)
    return Progress(
        *columns,
        console=ERROR,
        transient=True,
        expand=is_wide,
        disable=not ERROR.is_terminal,
    )
