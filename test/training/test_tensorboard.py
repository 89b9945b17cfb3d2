"""What TensorBoard is given, where it is installed."""

from __future__ import annotations

from pathlib import Path

from espnet_ros.training.reporting import EpochReport, StepReport
from espnet_ros.training.tensorboard import TensorBoardReporter
import pytest


def test_loss_rate_and_miou_are_written(tmp_path: Path) -> None:
    pytest.importorskip('tensorboard')
    accumulator = pytest.importorskip('tensorboard.backend.event_processing.event_accumulator')
    reporter = TensorBoardReporter(tmp_path)
    for step in range(1, 31):
        reporter.on_step(StepReport('network', step, 30, 1 / step, 1e-3, 5.0))
    reporter.on_epoch(EpochReport('network', 1, 0.25, 0.5, True, 30, 3))
    reporter.close()
    events = accumulator.EventAccumulator(str(tmp_path / 'network'))
    events.Reload()
    assert [e.step for e in events.Scalars('loss/step')] == [10, 20, 30]
    assert [e.value for e in events.Scalars('miou/validation')] == [0.5]
