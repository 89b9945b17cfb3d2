"""What a training tells while it runs, and to whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class StepReport:
    """
    One step.

    :param step: from 1, over all epochs of the stage
    :param total: steps of the stage
    :param loss: of the batch
    :param images_per_s: images a second since the training was started or resumed
    """

    stage: str
    step: int
    total: int
    loss: float
    learning_rate: float
    images_per_s: float


@dataclass(frozen=True)
class EpochReport:
    """
    One epoch, after it was validated.

    :param epoch: from 1
    :param loss: mean of its steps
    :param miou: mean IoU on the validation set, void ignored, 0 to 1
    :param best: whether no earlier epoch was better
    :param step: steps of the stage so far
    :param classes: over how many classes the mean is
    :param absent: classes without a labelled pixel in the validation set
    """

    stage: str
    epoch: int
    loss: float
    miou: float
    best: bool
    step: int
    classes: int
    absent: tuple[str, ...] = ()


class Reporter(Protocol):
    """Is told of every step and every validated epoch."""

    def on_step(self, report: StepReport) -> None: ...

    def on_epoch(self, report: EpochReport) -> None: ...
