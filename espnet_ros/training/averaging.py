"""The moving average of the weights, which is what is validated and kept."""

from __future__ import annotations

from copy import deepcopy

from espnet_ros.models.pipeline import SegmentationPipeline
import torch

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
