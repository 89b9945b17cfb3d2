"""
NDNet: narrow while deep.

Source: Yang et al., NDNet: Narrow While Deep Network for Real-Time Semantic Segmentation,
IEEE Transactions on Intelligent Transportation Systems, 2020; numbers that it leaves out are
those of github.com/zgyang-hnu/NDNet. There is no licence for the authors' weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from espnet_ros.models.base import IMAGE_CHANNELS, SegmentationNetwork
import torch
from torch import nn, Tensor
from torch.nn import functional

EXPANSION = 4
STEM_CHANNELS = 8
HEAD_CHANNELS = 64
FUSED_CHANNELS = 256


@dataclass(frozen=True)
class Backbone:
    """
    Widths and depths of the three stages, at 1/8, 1/16 and 1/32 of the image's size.

    :param widths: channels inside of a module; it gives four times as many
    :param depths: modules of the stage
    """

    widths: tuple[int, int, int]
    depths: tuple[int, int, int]


BACKBONES = {
    'ndnet45': Backbone((16, 32, 64), (4, 12, 6)),
    'ndnet61': Backbone((12, 24, 48), (6, 16, 8)),
    'ndnet29': Backbone((24, 48, 96), (3, 8, 3)),
    'ndnet29w': Backbone((64, 128, 256), (3, 8, 3)),
}


def separable(
    in_channels: int, out_channels: int, *, stride: int = 1, dilation: int = 1, act: bool = True
) -> nn.Sequential:
    """Return a depth-wise 3x3 convolution, a point-wise one, batch norm and perhaps ReLU."""
    layers: list[nn.Module] = [
        nn.Conv2d(
            in_channels,
            in_channels,
            3,
            stride,
            padding=dilation,
            dilation=dilation,
            groups=in_channels,
            bias=False,
        ),
        nn.Conv2d(in_channels, out_channels, 1, bias=False),
        nn.BatchNorm2d(out_channels),
    ]
    return nn.Sequential(*layers, nn.ReLU()) if act else nn.Sequential(*layers)


class NarrowBottleneck(nn.Module):
    """
    Two separable convolutions, few channels between them, and a way around.

    :param width: channels between them
    :param shortcut: whether the way around has a separable convolution of its own
    """

    def __init__(
        self, in_channels: int, width: int, *, stride: int, dilation: int, shortcut: bool
    ) -> None:
        super().__init__()
        out_channels = EXPANSION * width
        self.narrow = separable(in_channels, width, stride=stride, dilation=dilation)
        self.widen = separable(width, out_channels, dilation=dilation, act=False)
        self.shortcut = (
            separable(in_channels, out_channels, stride=stride, dilation=dilation, act=False)
            if shortcut
            else nn.Identity()
        )
        self.act = nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, 4 width, H / stride, W / stride)."""
        activated: Tensor = self.act(self.widen(self.narrow(features)) + self.shortcut(features))
        return activated


class NdnetBackbone(nn.Module):
    """
    The backbone.

    :param last_dilated: whether the last stage stays at 1/16 and is dilated
    """

    def __init__(self, backbone: Backbone, *, last_dilated: bool) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(IMAGE_CHANNELS, STEM_CHANNELS, 3, 2, padding=1, bias=False),
            nn.BatchNorm2d(STEM_CHANNELS),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, padding=1),
        )
        channels = STEM_CHANNELS
        stages = []
        for index, (width, depth) in enumerate(zip(backbone.widths, backbone.depths, strict=True)):
            dilated = last_dilated and index == 2
            stages.append(_stage(channels, width, depth, dilated=dilated))
            channels = EXPANSION * width
        self.stage3, self.stage4, self.stage5 = stages

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Map (N, 3, H, W) to the features at 1/8 and those of the last stage."""
        eighth = self.stage3(self.stem(image))
        return eighth, self.stage5(self.stage4(eighth))


class _Ndnet(SegmentationNetwork):
    """What both networks have: a backbone by name, and a head."""

    output_stride: ClassVar[int] = 1
    last_dilated: ClassVar[bool]

    def __init__(self, classes: int, backbone: str = 'ndnet45') -> None:
        super().__init__(classes)
        if backbone not in BACKBONES:
            raise ValueError(
                f'backbone: expected one of {", ".join(BACKBONES)}, found {backbone!r}'
            )
        self.widths = BACKBONES[backbone].widths
        self.backbone = NdnetBackbone(BACKBONES[backbone], last_dilated=self.last_dilated)

    def _make_head(self, in_channels: int) -> nn.Sequential:
        return nn.Sequential(
            separable(in_channels, HEAD_CHANNELS), nn.Conv2d(HEAD_CHANNELS, self.classes, 1)
        )


class NdnetFcn(_Ndnet):
    """
    NDNet with the head of FCN32: one prediction at 1/32, upsampled.

    :param backbone: a key of :data:`BACKBONES`
    :raises ValueError: fewer than two classes, or an unknown backbone
    """

    size_multiple: ClassVar[int] = 32
    last_dilated: ClassVar[bool] = False

    def __init__(self, classes: int, backbone: str = 'ndnet45') -> None:
        super().__init__(classes, backbone)
        self.head = self._make_head(EXPANSION * self.widths[2])

    def _logits(self, image: Tensor) -> Tensor:
        _, last = self.backbone(image)
        return _enlarge(self.head(last), 32)


class Ndnet(_Ndnet):
    """
    NDNet as an encoder and decoder.

    The auxiliary head that the authors train with is not part of it.

    :param backbone: a key of :data:`BACKBONES`; the authors have ``ndnet45``
    :raises ValueError: fewer than two classes, or an unknown backbone
    """

    size_multiple: ClassVar[int] = 16
    last_dilated: ClassVar[bool] = True

    def __init__(self, classes: int, backbone: str = 'ndnet45') -> None:
        super().__init__(classes, backbone)
        channels = EXPANSION * (self.widths[0] + self.widths[2])
        self.fuse = nn.Sequential(
            nn.Conv2d(channels, FUSED_CHANNELS, 1, bias=False),
            nn.BatchNorm2d(FUSED_CHANNELS),
            nn.ReLU(),
        )
        self.head = self._make_head(FUSED_CHANNELS)

    def _logits(self, image: Tensor) -> Tensor:
        eighth, last = self.backbone(image)
        fused = self.fuse(torch.cat([_enlarge(last, 2), eighth], dim=1))
        return _enlarge(self.head(fused), 8)


def _stage(in_channels: int, width: int, depth: int, *, dilated: bool) -> nn.Sequential:
    """Return a stage that halves the size, or has dilated convolutions instead."""
    dilation = 2 if dilated else 1
    layers = [
        NarrowBottleneck(
            in_channels, width, stride=1 if dilated else 2, dilation=dilation, shortcut=True
        )
    ]
    for _ in range(1, depth):
        layers.append(
            NarrowBottleneck(EXPANSION * width, width, stride=1, dilation=dilation, shortcut=False)
        )
    return nn.Sequential(*layers)


def _enlarge(features: Tensor, factor: int) -> Tensor:
    enlarged: Tensor = functional.interpolate(
        features, scale_factor=float(factor), mode='bilinear', align_corners=True
    )
    return enlarged
