"""
ERFNet, the larger and more accurate network that the paper of ESPNet compares with.

Source: Romera et al., ERFNet: Efficient Residual Factorized ConvNet for Real-Time Semantic
Segmentation, IEEE Transactions on Intelligent Transportation Systems, 2018, table 1. The
authors' weights are licensed for non-commercial use only and are not fetched.
"""

from __future__ import annotations

from typing import ClassVar

from espnet_ros.models.base import IMAGE_CHANNELS, SegmentationNetwork
import torch
from torch import nn, Tensor

NORM_EPSILON = 1e-3
DILATIONS = (2, 4, 8, 16, 2, 4, 8, 16)


class Downsampler(nn.Module):
    """A strided convolution and a max-pooling, side by side."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels - in_channels, 3, stride=2, padding=1)
        self.pool = nn.MaxPool2d(2, stride=2)
        self.norm = nn.BatchNorm2d(out_channels, eps=NORM_EPSILON)
        self.act = nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, H / 2, W / 2)."""
        halved = torch.cat([self.conv(features), self.pool(features)], dim=1)
        activated: Tensor = self.act(self.norm(halved))
        return activated


class NonBottleneck1d(nn.Module):
    """
    Two 3x3 convolutions, each factorised into a column and a row, and the input added.

    :param dilation: of the second pair
    :param dropout: share of the channels that training drops
    """

    def __init__(self, channels: int, *, dilation: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_factorized(channels, 1), nn.ReLU(), *_factorized(channels, dilation)
        )
        self.dropout = nn.Dropout2d(dropout)
        self.act = nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        activated: Tensor = self.act(self.dropout(self.layers(features)) + features)
        return activated


class Upsampler(nn.Module):
    """A transposed convolution that doubles the size, batch norm and ReLU."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(
            in_channels, out_channels, 3, stride=2, padding=1, output_padding=1
        )
        self.norm = nn.BatchNorm2d(out_channels, eps=NORM_EPSILON)
        self.act = nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, 2 H, 2 W)."""
        activated: Tensor = self.act(self.norm(self.conv(features)))
        return activated


class Erfnet(SegmentationNetwork):
    """
    ERFNet.

    :raises ValueError: fewer than two classes
    """

    size_multiple: ClassVar[int] = 8
    output_stride: ClassVar[int] = 1

    def __init__(self, classes: int) -> None:
        super().__init__(classes)
        self.encoder = nn.Sequential(
            Downsampler(IMAGE_CHANNELS, 16),
            Downsampler(16, 64),
            *(NonBottleneck1d(64, dropout=0.03) for _ in range(5)),
            Downsampler(64, 128),
            *(NonBottleneck1d(128, dilation=dilation, dropout=0.3) for dilation in DILATIONS),
        )
        self.decoder = nn.Sequential(
            Upsampler(128, 64),
            *(NonBottleneck1d(64) for _ in range(2)),
            Upsampler(64, 16),
            *(NonBottleneck1d(16) for _ in range(2)),
        )
        self.classifier = nn.ConvTranspose2d(16, classes, 2, stride=2)

    def _logits(self, image: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.decoder(self.encoder(image)))
        return logits


def _factorized(channels: int, dilation: int) -> list[nn.Module]:
    """Return a 3x1 and a 1x3 convolution with a ReLU between them, and batch norm."""
    return [
        nn.Conv2d(channels, channels, (3, 1), padding=(dilation, 0), dilation=(dilation, 1)),
        nn.ReLU(),
        nn.Conv2d(channels, channels, (1, 3), padding=(0, dilation), dilation=(1, dilation)),
        nn.BatchNorm2d(channels, eps=NORM_EPSILON),
    ]
