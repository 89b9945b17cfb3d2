"""ESPNetv2 for segmentation: encoder and decoder."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from espnet_ros.models.base import IMAGE_CHANNELS, SegmentationNetwork
from espnet_ros.models.espnet.blocks import InputPyramid
from espnet_ros.models.espnetv2.blocks import ConvNormAct, EespDownsampler, EespModule
from espnet_ros.models.espnetv2.decoder import Merge, PyramidPooling
from espnet_ros.models.espnetv2.scaling import enlarge_to
from torch import nn, Tensor

CHANNELS = {
    0.5: (16, 32, 64, 128),
    1.0: (32, 64, 128, 256),
    1.25: (32, 80, 160, 320),
    1.5: (32, 96, 192, 384),
    2.0: (32, 128, 256, 512),
}
"""Channels at 1/2, 1/4, 1/8 and 1/16 of the image's size, by the scale of the network."""

DEPTH3, DEPTH4 = 3, 7
DILATIONS = (1, 2, 3, 4)
DILATIONS4 = (1, 1, 2, 3)
"""Of the last stage, whose receptive field is limited to seven."""

DECODER_CHANNELS = (64, 48, 32)
MOST_INNER_CHANNELS = 16


class Encoded(NamedTuple):
    """Features at 1/2, 1/4, 1/8 and 1/16 of the image's size."""

    half: Tensor
    quarter: Tensor
    eighth: Tensor
    sixteenth: Tensor


class Encoder(nn.Module):
    """
    The encoder, up to a sixteenth of the image's size.

    :param channels: one of :data:`CHANNELS`
    """

    def __init__(self, channels: tuple[int, int, int, int]) -> None:
        super().__init__()
        first, second, third, fourth = channels
        self.image_pyramid = InputPyramid(4)
        self.stem = ConvNormAct(IMAGE_CHANNELS, first, 3, stride=2)
        self.down2 = EespDownsampler(first, second, DILATIONS)
        self.down3 = EespDownsampler(second, third, DILATIONS)
        self.stage3 = nn.Sequential(*(EespModule(third, DILATIONS) for _ in range(DEPTH3)))
        self.down4 = EespDownsampler(third, fourth, DILATIONS)
        self.stage4 = nn.Sequential(*(EespModule(fourth, DILATIONS4) for _ in range(DEPTH4)))

    def forward(self, image: Tensor) -> Encoded:
        """Map (N, 3, H, W) to features at four sizes."""
        _, image4, image8, image16 = self.image_pyramid(image)
        half = self.stem(image)
        quarter = self.down2(half, image4)
        eighth = self.stage3(self.down3(quarter, image8))
        return Encoded(half, quarter, eighth, self.stage4(self.down4(eighth, image16)))


class Espnetv2(SegmentationNetwork):
    """
    ESPNetv2 with the decoder of the published Cityscapes weights.

    :param scale: a key of :data:`CHANNELS`
    :raises ValueError: fewer than two classes, or an unknown scale
    """

    size_multiple: ClassVar[int] = 16
    output_stride: ClassVar[int] = 1
    fixed_size: ClassVar[bool] = True
    computes_with_sizes = True

    def __init__(self, classes: int, scale: float = 2.0) -> None:
        super().__init__(classes)
        if scale not in CHANNELS:
            raise ValueError(
                f'scale: expected one of {", ".join(map(str, CHANNELS))}, found {scale!r}'
            )
        channels = CHANNELS[scale]
        first, second, third = DECODER_CHANNELS
        inner = min(classes // 2, MOST_INNER_CHANNELS)
        self.encoder = Encoder(channels)
        self.pool16 = PyramidPooling(channels[3], inner, first)
        self.merge8 = Merge(channels[2], first)
        self.pool8 = PyramidPooling(first, inner, second)
        self.merge4 = Merge(channels[1], second)
        self.pool4 = PyramidPooling(second, inner, third)
        self.merge2 = Merge(channels[0], third)
        self.pool2 = PyramidPooling(third, inner, classes, last=True)

    def _logits(self, image: Tensor) -> Tensor:
        encoded = self.encoder(image)
        features = self.pool16(encoded.sixteenth)
        features = self.pool8(self.merge8(features, encoded.eighth))
        features = self.pool4(self.merge4(features, encoded.quarter))
        features = self.pool2(self.merge2(features, encoded.half))
        return enlarge_to(features, (int(image.shape[2]), int(image.shape[3])))
