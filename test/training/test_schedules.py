"""The learning rate over a stage."""

from __future__ import annotations

from espnet_ros.training.data.augmentation import Augmentation
from espnet_ros.training.recipes import SCHEDULES, Stage
from espnet_ros.training.schedules import learning_rate
import pytest


def stage(schedule: str, epochs: int = 10, warmup_epochs: float = 0.0) -> Stage:
    return Stage(
        'stage',
        'espnet',
        epochs,
        4,
        Augmentation((32, 32)),
        learning_rate=1.0,
        schedule=schedule,
        warmup_epochs=warmup_epochs,
        halving_epochs=4,
    )


@pytest.mark.parametrize('schedule', SCHEDULES)
def test_rates_are_above_zero_and_never_above_the_peak(schedule: str) -> None:
    rates = [learning_rate(stage(schedule, warmup_epochs=1.5), i, 10) for i in range(100)]
    assert max(rates) <= 1.0
    assert min(rates) > 0


@pytest.mark.parametrize('schedule', ['poly', 'cosine', 'one_cycle'])
def test_falling_schedules_end_near_zero(schedule: str) -> None:
    assert learning_rate(stage(schedule), 99, 10) < 0.02


def test_halving_is_that_of_the_paper() -> None:
    rates = [learning_rate(stage('halving'), epoch * 10 + 9, 10) for epoch in (0, 3, 4, 7, 8)]
    assert rates == [1.0, 1.0, 0.5, 0.5, 0.25]


def test_warmup_rises_in_equal_steps() -> None:
    rates = [learning_rate(stage('constant', warmup_epochs=1), i, 4) for i in range(5)]
    assert rates == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
