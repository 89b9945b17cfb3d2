"""ESPNet-C, the encoder, which is a segmentation network of its own."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from espnet_ros.models.base import check_depth, IMAGE_CHANNELS, SegmentationNetwork
from espnet_ros.models.blocks import (
    ConvNormAct,
    convolution,
    EspDownsampler,
    EspModule,
    InputPyramid,
    NormAct,
)
import torch
from torch import nn, Tensor

STEM_CHANNELS = 16
STAGE2_CHANNELS = 64
STAGE3_CHANNELS = 128

REINFORCED_STEM_CHANNELS = STEM_CHANNELS + IMAGE_CHANNELS
FUSED2_CHANNELS = 2 * STAGE2_CHANNELS + IMAGE_CHANNELS
FUSED3_CHANNELS = 2 * STAGE3_CHANNELS


class EncoderFeatures(NamedTuple):
    """
    What a decoder may take from the encoder.

    :param stem: (N, 16, H / 2, W / 2)
    :param reinforced_stem: (N, 19, H / 2, W / 2), the stem with the image beside it
    :param fused2: (N, 131, H / 4, W / 4), the second stage with its input and the image
    :param logits: (N, classes, H / 8, W / 8)
    """

    stem: Tensor
    reinforced_stem: Tensor
    fused2: Tensor
    logits: Tensor


class EspnetC(SegmentationNetwork):
    """
    ESPNet-C of the paper (figure 4c).

    :param classes: number of classes
    :param alpha2: ESP modules at a quarter of the image's size (p in the authors' code)
    :param alpha3: ESP modules at an eighth of the image's size (q in the authors' code)
    :raises ValueError: fewer than two classes, or a depth below one
    """

    size_multiple: ClassVar[int] = 8
    output_stride: ClassVar[int] = 8

    def __init__(self, classes: int, alpha2: int = 2, alpha3: int = 8) -> None:
        super().__init__(classes)
        self.image_pyramid = InputPyramid(2)
        self.stem = ConvNormAct(IMAGE_CHANNELS, STEM_CHANNELS, 3, stride=2)
        self.fuse1 = NormAct(REINFORCED_STEM_CHANNELS)
        self.down2 = EspDownsampler(REINFORCED_STEM_CHANNELS, STAGE2_CHANNELS)
        self.stage2 = _stage(STAGE2_CHANNELS, check_depth('alpha2', alpha2))
        self.fuse2 = NormAct(FUSED2_CHANNELS)
        self.down3 = EspDownsampler(FUSED2_CHANNELS, STAGE3_CHANNELS)
        self.stage3 = _stage(STAGE3_CHANNELS, check_depth('alpha3', alpha3))
        self.fuse3 = NormAct(FUSED3_CHANNELS)
        self.classifier = convolution(FUSED3_CHANNELS, classes, 1)

    def features(self, image: Tensor) -> EncoderFeatures:
        """
        Compute the logits and what a decoder takes.

        :param image: (N, 3, H, W), normalised
        """
        image2, image4 = self.image_pyramid(image)
        stem = self.stem(image)
        reinforced_stem = self.fuse1(torch.cat([stem, image2], dim=1))
        down2 = self.down2(reinforced_stem)
        # The order of the parts differs between the stages; the published weights fix it.
        fused2 = self.fuse2(torch.cat([self.stage2(down2), down2, image4], dim=1))
        down3 = self.down3(fused2)
        fused3 = self.fuse3(torch.cat([down3, self.stage3(down3)], dim=1))
        return EncoderFeatures(stem, reinforced_stem, fused2, self.classifier(fused3))

    def _logits(self, image: Tensor) -> Tensor:
        return self.features(image).logits


def _stage(channels: int, depth: int) -> nn.Sequential:
    return nn.Sequential(*(EspModule(channels, channels) for _ in range(depth)))
