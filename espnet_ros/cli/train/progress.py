"""Progress of a training: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import time

from espnet_ros.cli.console import ERROR, warn
from espnet_ros.cli.progress import CountColumn, LINE_EVERY_S, make_bar
from espnet_ros.training.reporting import EpochReport, StepReport
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

_SMOOTHING = 0.95


class TrainingProgress:
    """
    Shows steps, loss and speed; and one line for each validated epoch.

    On a terminal it is a bar; elsewhere a plain line now and then, so that logs stay readable.
    """

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._loss: float | None = None
        self._line_s = time.monotonic()
        self._told_absent = False

    def on_step(self, report: StepReport) -> None:
        before = report.loss if self._loss is None else self._loss
        self._loss = _SMOOTHING * before + (1 - _SMOOTHING) * report.loss
        numbers = f'loss {self._loss:.4f}, {report.images_per_s:.1f} images/s'
        if self._bar is not None:
            if report.stage not in self._tasks:
                task = self._bar.add_task(report.stage, total=report.total, numbers='')
                self._tasks[report.stage] = task
            self._bar.update(self._tasks[report.stage], completed=report.step, numbers=numbers)
        elif time.monotonic() - self._line_s >= LINE_EVERY_S:
            self._line_s = time.monotonic()
            ERROR.print(f'{report.stage}: step {report.step} of {report.total}, {numbers}')

    def on_epoch(self, report: EpochReport) -> None:
        classes = 'class' if report.classes == 1 else 'classes'
        best = ', the best so far' if report.best else ''
        ERROR.print(
            f'{report.stage}: epoch {report.epoch}, loss {report.loss:.4f}, '
            f'mean IoU {100 * report.miou:.2f} of {report.classes} {classes}{best}',
            soft_wrap=True,
        )
        if report.absent and not self._told_absent:
            self._told_absent = True
            warn(f'validation set: no labelled pixel of {", ".join(report.absent)}')

    def __enter__(self) -> TrainingProgress:
        if ERROR.is_terminal:
            self._bar = make_bar(
                '{task.description}',
                BarColumn(bar_width=None),
                CountColumn(),
                TextColumn('{task.fields[numbers]}', style='cyan'),
                TimeRemainingColumn(),
            )
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
