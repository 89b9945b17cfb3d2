"""
The blocks that ESPNet is built of.

Source: Mehta et al., ESPNet: Efficient Spatial Pyramid of Dilated Convolutions for
Semantic Segmentation, ECCV 2018, section 3; where the paper is silent, the authors' code
(github.com/sacmehta/ESPNet, MIT) decides: no convolution has a bias, batch norm has an
epsilon of 1e-3, and PReLU has one weight for each channel.
"""

from __future__ import annotations

import torch
from torch import nn, Tensor

DILATIONS = (1, 2, 4, 8, 16)
"""Dilation of each branch of the spatial pyramid (K = 5 in the paper)."""

NORM_EPSILON = 1e-3


def convolution(
    in_channels: int, out_channels: int, kernel: int, *, stride: int = 1, dilation: int = 1
) -> nn.Conv2d:
    """
    Return a convolution without bias that keeps the size, but for the stride.

    :param kernel: height and width of the kernel, odd
    """
    padding = (kernel - 1) // 2 * dilation
    return nn.Conv2d(
        in_channels, out_channels, kernel, stride, padding, dilation=dilation, bias=False
    )


class NormAct(nn.Module):
    """Batch norm and PReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, eps=NORM_EPSILON)
        self.act = nn.PReLU(channels)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        activated: Tensor = self.act(self.norm(features))
        return activated


class ConvNormAct(nn.Module):
    """Convolution, batch norm and PReLU."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, *, stride: int = 1
    ) -> None:
        super().__init__()
        self.conv = convolution(in_channels, out_channels, kernel, stride=stride)
        self.norm = nn.BatchNorm2d(out_channels, eps=NORM_EPSILON)
        self.act = nn.PReLU(out_channels)

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, H / stride, W / stride)."""
        activated: Tensor = self.act(self.norm(self.conv(features)))
        return activated


class SpatialPyramid(nn.Module):
    """
    Split, transform and merge: parallel dilated convolutions and their fusion.

    The merge is the paper's hierarchical feature fusion (HFF, figure 1b): each dilated
    branch is added to the sum of those before it, which removes the gridding of large
    dilations; the undilated branch stays out of the sums. The undilated branch takes the
    channels that a division by the number of branches leaves over.

    Fewer output channels than branches give one branch for each channel, so that a decoder
    for two classes can be built.

    :param in_channels: what the reduction left; see :func:`branch_channels`
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        dilations = DILATIONS[:out_channels]
        channels = branch_channels(out_channels)
        first = out_channels - channels * (len(dilations) - 1)
        self.branches = nn.ModuleList(
            convolution(in_channels, first if index == 0 else channels, 3, dilation=dilation)
            for index, dilation in enumerate(dilations)
        )

    def forward(self, reduced: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, H, W)."""
        undilated, *dilated = [branch(reduced) for branch in self.branches]
        fused = [undilated]
        total: Tensor | None = None
        for features in dilated:
            total = features if total is None else total + features
            fused.append(total)
        return torch.cat(fused, dim=1)


def branch_channels(out_channels: int) -> int:
    """
    Return the channels of a dilated branch, which are those after the reduction too.

    :raises ValueError: there are no channels
    """
    if out_channels < 1:
        raise ValueError(f'expected at least 1 output channel, found {out_channels}')
    return out_channels // len(DILATIONS[:out_channels])


class EspModule(nn.Module):
    """
    Efficient spatial pyramid: reduce, split, transform, merge (the paper's section 3.1).

    :param residual: whether the input is added before norm and activation
    :raises ValueError: a residual between different numbers of channels
    """

    def __init__(self, in_channels: int, out_channels: int, *, residual: bool = True) -> None:
        super().__init__()
        if residual and in_channels != out_channels:
            raise ValueError(
                'expected as many output as input channels for a residual, '
                f'found {in_channels} and {out_channels}'
            )
        channels = branch_channels(out_channels)
        self.residual = residual
        self.reduce = convolution(in_channels, channels, 1)
        self.pyramid = SpatialPyramid(channels, out_channels)
        self.norm_act = NormAct(out_channels)

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, H, W)."""
        merged: Tensor = self.pyramid(self.reduce(features))
        if self.residual:
            merged = merged + features
        activated: Tensor = self.norm_act(merged)
        return activated


class EspDownsampler(nn.Module):
    """Strided ESP module: the reduction is a 3x3 convolution of stride 2, without residual."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        channels = branch_channels(out_channels)
        self.reduce = convolution(in_channels, channels, 3, stride=2)
        self.pyramid = SpatialPyramid(channels, out_channels)
        self.norm_act = NormAct(out_channels)

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, H / 2, W / 2)."""
        activated: Tensor = self.norm_act(self.pyramid(self.reduce(features)))
        return activated


class InputPyramid(nn.Module):
    """
    The image at half, quarter, ... size, for input reinforcement (the paper's figure 4).

    Zeros of the padding count in the average, as in the authors' code.

    :param levels: how many times the size is halved
    """

    def __init__(self, levels: int) -> None:
        super().__init__()
        self.levels = levels
        self.pool = nn.AvgPool2d(3, stride=2, padding=1)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Map (N, 3, H, W) to [(N, 3, H / 2, W / 2), (N, 3, H / 4, W / 4), ...]."""
        images: list[Tensor] = []
        for _ in range(self.levels):
            image = self.pool(image)
            images.append(image)
        return images
