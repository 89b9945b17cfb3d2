"""The course of a training for TensorBoard, where that is installed."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from espnet_ros.training.reporting import EpochReport, StepReport

EVERY_STEPS = 10


class TensorBoardReporter:
    """
    Writes loss, learning rate and mean IoU.

    A resumed training writes on; what was written after the state that it resumes from is
    replaced by what it computes again.

    :raises ModuleNotFoundError: tensorboard is not installed
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer_class: Any = import_module('torch.utils.tensorboard').SummaryWriter
        self._writers: dict[str, Any] = {}

    def on_step(self, report: StepReport) -> None:
        """Write every tenth step."""
        if report.step % EVERY_STEPS == 0:
            writer = self._writer(report.stage, report.step)
            writer.add_scalar('loss/step', report.loss, report.step)
            writer.add_scalar('learning_rate', report.learning_rate, report.step)

    def on_epoch(self, report: EpochReport) -> None:
        """Write the mean loss and the validation."""
        writer = self._writer(report.stage, report.step)
        writer.add_scalar('loss/epoch', report.loss, report.step)
        writer.add_scalar('miou/validation', report.miou, report.step)
        writer.flush()

    def close(self) -> None:
        """Finish the files."""
        for writer in self._writers.values():
            writer.close()

    def _writer(self, stage: str, step: int) -> Any:
        if stage not in self._writers:
            folder = str(self._folder / stage)
            self._writers[stage] = self._writer_class(folder, purge_step=step)
        return self._writers[stage]
