"""The learning rate at every step."""

from __future__ import annotations

import math

from espnet_ros.training.recipes import Stage

POLY_POWER = 0.9

ONE_CYCLE_RISE = 0.3
"""Share of the steps in which the one-cycle schedule rises."""

ONE_CYCLE_START = 25
"""How many times lower than its peak the one-cycle schedule starts."""


def learning_rate(stage: Stage, step: int, steps_per_epoch: int) -> float:
    """
    Return the learning rate of a step, which depends on nothing but its number.

    :param step: from 0, over all epochs of the stage
    """
    total = stage.epochs * steps_per_epoch
    warmup = stage.warmup_epochs * steps_per_epoch
    peak = stage.learning_rate
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    progress = min(1.0, (step - warmup) / max(total - warmup, 1))
    match stage.schedule:
        case 'halving':
            factor = 0.5 ** (step // steps_per_epoch // stage.halving_epochs)
        case 'poly':
            factor = float((1 - progress) ** POLY_POWER)
        case 'cosine':
            factor = (1 + math.cos(math.pi * progress)) / 2
        case 'one_cycle':
            factor = _one_cycle(progress)
        case _:
            factor = 1.0
    return peak * factor


def _one_cycle(progress: float) -> float:
    if progress < ONE_CYCLE_RISE:
        rise = (1 - math.cos(math.pi * progress / ONE_CYCLE_RISE)) / 2
        return (1 + (ONE_CYCLE_START - 1) * rise) / ONE_CYCLE_START
    return (1 + math.cos(math.pi * (progress - ONE_CYCLE_RISE) / (1 - ONE_CYCLE_RISE))) / 2
