"""
The efficient spatial pyramid (ESP): the module that ESPNet is named after.

Source: the paper's section 3.1 and figure 1; where it is silent, the authors' code.
"""

from __future__ import annotations

from espnet_ros.models.espnet.blocks import ConvNormAct, convolution, NormAct
from espnet_ros.models.espnet.style import EspnetStyle, PUBLISHED_STYLE
import torch
from torch import nn, Tensor

STRIDED_BRANCHES = 5
"""Branches of the strided modules, which Table 2 leaves alone where it varies K."""


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
    :param branches: how many (K); the dilations are 1, 2, 4, ...
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        branches: int = PUBLISHED_STYLE.branches,
        style: EspnetStyle = PUBLISHED_STYLE,
    ) -> None:
        super().__init__()
        count = min(branches, out_channels)
        channels = branch_channels(out_channels, branches)
        first = out_channels - channels * (count - 1)
        self.fusion = style.fusion
        self.branches = nn.ModuleList(
            convolution(
                in_channels,
                channels if index else first,
                3,
                dilation=2**index if style.dilated else 1,
            )
            for index in range(count)
        )

    def forward(self, reduced: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, H, W)."""
        undilated, *dilated = [branch(reduced) for branch in self.branches]
        if not self.fusion:
            return torch.cat([undilated, *dilated], dim=1)
        fused = [undilated]
        total: Tensor | None = None
        for features in dilated:
            total = features if total is None else total + features
            fused.append(total)
        return torch.cat(fused, dim=1)


def branch_channels(out_channels: int, branches: int = PUBLISHED_STYLE.branches) -> int:
    """
    Return the channels of a dilated branch, which are those after the reduction too.

    :raises ValueError: there are no channels
    """
    if out_channels < 1:
        raise ValueError(f'expected at least 1 output channel, found {out_channels}')
    return out_channels // min(branches, out_channels)


class EspModule(nn.Module):
    """
    Efficient spatial pyramid: reduce, split, transform, merge (the paper's section 3.1).

    :param residual: whether the input is added before norm and activation
    :raises ValueError: a residual between different numbers of channels
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        residual: bool = True,
        style: EspnetStyle = PUBLISHED_STYLE,
    ) -> None:
        super().__init__()
        if residual and in_channels != out_channels:
            raise ValueError(
                'expected as many output as input channels for a residual, '
                f'found {in_channels} and {out_channels}'
            )
        channels = branch_channels(out_channels, style.branches)
        self.residual = residual
        self.reduce = convolution(in_channels, channels, style.reduce_kernel)
        self.pyramid = SpatialPyramid(channels, out_channels, style.branches, style)
        self.norm_act = NormAct(out_channels, style.activation)

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, H, W)."""
        merged: Tensor = self.pyramid(self.reduce(features))
        if self.residual:
            merged = merged + features
        activated: Tensor = self.norm_act(merged)
        return activated


class EspDownsampler(nn.Module):
    """Strided ESP module: the reduction is a 3x3 convolution of stride 2, without residual."""

    def __init__(
        self, in_channels: int, out_channels: int, style: EspnetStyle = PUBLISHED_STYLE
    ) -> None:
        super().__init__()
        channels = branch_channels(out_channels, STRIDED_BRANCHES)
        self.reduce = convolution(in_channels, channels, 3, stride=2)
        self.pyramid = SpatialPyramid(channels, out_channels, STRIDED_BRANCHES, style)
        self.norm_act = NormAct(out_channels, style.activation)

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, H / 2, W / 2)."""
        activated: Tensor = self.norm_act(self.pyramid(self.reduce(features)))
        return activated


def make_downsampler(in_channels: int, out_channels: int, style: EspnetStyle) -> nn.Module:
    """Return what halves the size: a strided ESP module or a strided convolution."""
    if style.downsampling == 'convolution':
        return ConvNormAct(in_channels, out_channels, 3, stride=2, activation=style.activation)
    return EspDownsampler(in_channels, out_channels, style)
