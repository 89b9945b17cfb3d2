"""ESPNet: the encoder and a light decoder up to the size of the image."""

from __future__ import annotations

from typing import Any, ClassVar

from espnet_ros.models.base import SegmentationNetwork
from espnet_ros.models.espnet.blocks import ConvNormAct, convolution, NORM_EPSILON, NormAct
from espnet_ros.models.espnet.encoder import (
    EncoderFeatures,
    EspnetC,
    FUSED2_CHANNELS,
    REINFORCED_STEM_CHANNELS,
    STEM_CHANNELS,
)
from espnet_ros.models.espnet.esp_module import EspModule
from espnet_ros.models.espnet.style import EspnetStyle, PUBLISHED_STYLE
import torch
from torch import nn, Tensor

SKIP_CHANNELS = {'stem': STEM_CHANNELS, 'reinforced_stem': REINFORCED_STEM_CHANNELS}
"""Channels of what the decoder takes at half of the image's size, by its name."""


class Decoder(nn.Module):
    """
    The decoder of ESPNet (the paper's figure 4d).

    :param skip_channels: channels of what it takes at half of the image's size
    :param style: how its ESP module and activations are built
    """

    def __init__(
        self, classes: int, skip_channels: int, style: EspnetStyle = PUBLISHED_STYLE
    ) -> None:
        super().__init__()
        self.norm3 = nn.BatchNorm2d(classes, eps=NORM_EPSILON)
        self.up3 = _doubling(classes)
        self.project2 = convolution(FUSED2_CHANNELS, classes, 1)
        self.norm_act2 = NormAct(2 * classes, style.activation)
        self.merge2 = EspModule(2 * classes, classes, residual=False, style=style)
        self.up2 = _doubling(classes)
        self.norm_act1 = NormAct(classes, style.activation)
        self.merge1 = ConvNormAct(classes + skip_channels, classes, 3, activation=style.activation)
        self.up1 = _doubling(classes)

    def forward(self, logits: Tensor, fused2: Tensor, skip: Tensor) -> Tensor:
        """
        Return the logits at the size of the image.

        :param logits: (N, classes, H / 8, W / 8)
        :param fused2: (N, 131, H / 4, W / 4)
        :param skip: (N, skip_channels, H / 2, W / 2)
        :return: (N, classes, H, W)
        """
        quarter = torch.cat([self.project2(fused2), self.up3(self.norm3(logits))], dim=1)
        half = self.norm_act1(self.up2(self.merge2(self.norm_act2(quarter))))
        full: Tensor = self.up1(self.merge1(torch.cat([half, skip], dim=1)))
        return full


class Espnet(SegmentationNetwork):
    """
    ESPNet of the paper (figure 4d).

    The authors published weights of two decoders that differ in what they take at half of
    the image's size: those for Cityscapes take the raw stem (test/Model.py), that for CamVid
    the stem with the image beside it (train/Model.py).

    :param alpha2: ESP modules at a quarter of the image's size (p in the authors' code)
    :param alpha3: ESP modules at an eighth of the image's size (q in the authors' code)
    :param skip: what the decoder takes at half of the image's size, ``stem`` or
        ``reinforced_stem``
    :param style: choices of :class:`espnet_ros.models.espnet.style.EspnetStyle` by name
    :raises ValueError: fewer than two classes, a depth below one, or no such choice
    :raises TypeError: no such name
    """

    size_multiple: ClassVar[int] = 8
    output_stride: ClassVar[int] = 1

    def __init__(
        self,
        classes: int,
        alpha2: int = 2,
        alpha3: int = 8,
        skip: str = 'stem',
        **style: Any,
    ) -> None:
        super().__init__(classes)
        if skip not in SKIP_CHANNELS:
            raise ValueError(f'skip: expected one of {", ".join(SKIP_CHANNELS)}, found {skip!r}')
        self.skip = skip
        self.encoder = EspnetC(classes, alpha2, alpha3, **style)
        self.computes_with_sizes = self.encoder.computes_with_sizes
        self.decoder = Decoder(classes, SKIP_CHANNELS[skip], EspnetStyle(**style))

    def supervised_logits(self, image: Tensor) -> tuple[Tensor, ...]:
        """Compute the logits and those of the encoder, (N, classes, H / 8, W / 8)."""
        features: EncoderFeatures = self.encoder.features(image)
        skip = features.stem if self.skip == 'stem' else features.reinforced_stem
        return self.decoder(features.logits, features.fused2, skip), features.logits

    def _logits(self, image: Tensor) -> Tensor:
        return self.supervised_logits(image)[0]


def _doubling(channels: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(channels, channels, 2, stride=2, bias=False)
