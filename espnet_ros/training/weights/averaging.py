"""
Averages of weights: the moving one, which is validated and kept, and that of two trainings.

A network that was fine-tuned from another one lies so near that the weights between both work too,
and know much of what either does (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR
2022).
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace

from espnet_ros.exceptions import ConfigError
from espnet_ros.models.pipeline import SegmentationPipeline
from espnet_ros.models.training_sets import Normalization
from espnet_ros.training.weights.states import TrainedWeights
from espnet_ros.training.weights.transfer import InitialWeights
import numpy as np
import torch
from torch import Tensor

_WARMUP_STEPS = 10


class WeightAverage:
    """
    An exponential moving average of a network's weights and of its batch statistics.

    :param decay: share of the average that stays in each step; 0 follows the network
    :ivar pipeline: the network with the averaged weights, in evaluation mode
    """

    def __init__(self, pipeline: SegmentationPipeline, decay: float) -> None:
        self.pipeline = deepcopy(pipeline).eval().requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, pipeline: SegmentationPipeline, step: int) -> None:
        """
        Take the weights after a step into the average.

        :param step: how many came before; the first ones average over less
        """
        decay = min(self._decay, (1 + step) / (_WARMUP_STEPS + step)) if self._decay else 0.0
        current = pipeline.network.state_dict()
        for key, average in self.pipeline.network.state_dict().items():
            if average.is_floating_point():
                average.lerp_(current[key], 1 - decay)
            else:
                average.copy_(current[key])


def average_with(weights: TrainedWeights, other: InitialWeights, share: float) -> TrainedWeights:
    """
    Return weights averaged with those of another network of the same kind.

    :param share: of the other one, 0 to 1
    :raises ConfigError: the other network has other tensors or another normalisation, or the share
        is none
    """
    check_average(weights.state_dict, weights.normalization, other, share)
    state = {
        key: torch.lerp(tensor, other.state_dict[key].to(tensor), share)
        if tensor.is_floating_point()
        else tensor
        for key, tensor in weights.state_dict.items()
    }
    record = {**weights.record, 'averaged_with': {'weights': other.name, 'share': share}}
    return replace(weights, state_dict=state, record=record, sha256='')


def check_average(
    state_dict: Mapping[str, Tensor],
    normalization: Normalization,
    other: InitialWeights,
    share: float,
) -> None:
    """
    Raise where weights cannot be averaged with others.

    :raises ConfigError: the tensors differ in names or shapes, the images are normalised in
        another way, or the share is none
    """
    if not 0 <= share <= 1:
        raise ConfigError(f'share of the average: expected 0 to 1, found {share}')
    ours = {key: tuple(tensor.shape) for key, tensor in state_dict.items()}
    theirs = {key: tuple(tensor.shape) for key, tensor in other.state_dict.items()}
    if ours != theirs:
        key = min(ours.items() ^ theirs.items())[0]
        raise ConfigError(
            f'average with {other.name}: expected a network with the same tensors, found a '
            f'difference at {key}'
        )
    if not np.allclose(_numbers(normalization), _numbers(other.normalization), rtol=1e-3):
        raise ConfigError(
            f'average with {other.name}: expected the normalisation {normalization}, found '
            f'{other.normalization}'
        )


def _numbers(normalization: Normalization) -> list[float]:
    return [*normalization.mean_bgr, *normalization.std_bgr]
