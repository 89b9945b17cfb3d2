"""Tests of what is traced: a graph for every size, or an error."""

from __future__ import annotations

from espnet_ros.exceptions import ModelError
from espnet_ros.export.tracing import free_sizes, trace
from espnet_ros.models.base import SegmentationNetwork
from espnet_ros.models.pipeline import SegmentationPipeline
from espnet_ros.models.training_sets import Normalization
import pytest
import torch
from torch import nn, Tensor
from torch.nn import functional

pytest.importorskip('onnxscript', reason='exporting networks needs onnxscript')
BGR = Normalization(channel_order='bgr', mean_bgr=(0.4, 0.4, 0.4), std_bgr=(1.0, 1.0, 1.0))


class Flat(SegmentationNetwork):
    """A network that makes its features flat and gives them back their size."""

    size_multiple = 8
    output_stride = 1

    def __init__(self) -> None:
        super().__init__(2)
        self.conv = nn.Conv2d(3, 2, 1)

    def _logits(self, image: Tensor) -> Tensor:
        features = self.conv(image)
        return features.flatten(2).softmax(dim=2).view(features.shape)


class Placed(Flat):
    """A network that adds what depends on the place in the image."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer('place', torch.linspace(0, 1, 96))

    def _logits(self, image: Tensor) -> Tensor:
        return self.conv(image) + self.place.view(1, 1, 1, -1)


class Halved(Flat):
    """A network that interpolates to a size."""

    def _logits(self, image: Tensor) -> Tensor:
        small = functional.avg_pool2d(self.conv(image), 2)
        size = (small.shape[2] * 2, small.shape[3] * 2)
        return functional.interpolate(small, size=size, mode='bilinear')


@pytest.mark.parametrize('network', [Flat(), Placed(), Halved()], ids=lambda n: type(n).__name__)
def test_a_network_that_holds_a_size_is_refused(network: SegmentationNetwork) -> None:
    proto = trace(SegmentationPipeline(network.eval(), BGR).eval(), (64, 96))
    with pytest.raises(ModelError, match=r'graph for every size.*set computes_with_sizes'):
        free_sizes(proto, network)
