"""ENet: an encoder with early and steep halving, and a small decoder."""

from __future__ import annotations

from typing import ClassVar

from espnet_ros.models.base import IMAGE_CHANNELS, SegmentationNetwork
from espnet_ros.models.enet.blocks import (
    Bottleneck,
    doubling,
    DownBottleneck,
    LayerMaker,
    Stem,
    UpBottleneck,
)
from espnet_ros.models.enet.style import STYLES
from torch import nn, Tensor

EARLY_DROPOUT = 0.01
DROPOUT = 0.1


class Enet(SegmentationNetwork):
    """
    ENet (arXiv 1606.02147, table 1).

    :param variant: ``elab``, the authors' own; ``davidtvs``, the best known one in torch; or
        ``davidtvs_2018``, whose weights are published
    :raises ValueError: fewer than two classes, or an unknown variant
    """

    size_multiple: ClassVar[int] = 8
    output_stride: ClassVar[int] = 1
    computes_with_sizes = True

    def __init__(self, classes: int, variant: str = 'elab') -> None:
        super().__init__(classes)
        if variant not in STYLES:
            raise ValueError(f'variant: expected one of {", ".join(STYLES)}, found {variant!r}')
        self.variant = variant
        style = STYLES[variant]
        encoder, decoder = LayerMaker(style), LayerMaker(style, decoder=True)
        self.stem = Stem(IMAGE_CHANNELS, 16, encoder)
        self.down1 = DownBottleneck(16, 64, encoder, dropout=EARLY_DROPOUT)
        self.stage1 = nn.Sequential(
            *(Bottleneck(64, encoder, dropout=EARLY_DROPOUT) for _ in range(4))
        )
        self.down2 = DownBottleneck(64, 128, encoder, dropout=DROPOUT)
        self.stage2 = _deep_stage(encoder)
        self.stage3 = _deep_stage(encoder)
        self.up4 = UpBottleneck(128, 64, decoder, dropout=DROPOUT)
        self.stage4 = nn.Sequential(*(Bottleneck(64, decoder, dropout=DROPOUT) for _ in range(2)))
        self.up5 = UpBottleneck(64, 16, decoder, dropout=DROPOUT)
        self.stage5 = nn.Sequential(Bottleneck(16, decoder, dropout=DROPOUT))
        self.classifier = doubling(16, classes, style.last, bias=style.bias)

    def _logits(self, image: Tensor) -> Tensor:
        features, places1 = self.down1(self.stem(image))
        features, places2 = self.down2(self.stage1(features))
        features = self.stage3(self.stage2(features))
        features = self.stage4(self.up4(features, places2))
        logits: Tensor = self.classifier(self.stage5(self.up5(features, places1)))
        return logits


def _deep_stage(maker: LayerMaker) -> nn.Sequential:
    """Return bottlenecks 1 to 8 of the second stage, which the third repeats."""
    layers = []
    for dilations in ((2, 4), (8, 16)):
        layers += [
            Bottleneck(128, maker, dropout=DROPOUT),
            Bottleneck(128, maker, dilation=dilations[0], dropout=DROPOUT),
            Bottleneck(128, maker, asymmetric=True, dropout=DROPOUT),
            Bottleneck(128, maker, dilation=dilations[1], dropout=DROPOUT),
        ]
    return nn.Sequential(*layers)
