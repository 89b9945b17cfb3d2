"""
The blocks of ESPNetv2.

Source: Mehta et al., ESPNetv2: A Light-weight, Power Efficient, and General Purpose
Convolutional Neural Network, CVPR 2019, section 3; numbers that it leaves out are those of
github.com/sacmehta/EdgeNets (MIT).
"""

from __future__ import annotations

from espnet_ros.models.espnet.blocks import convolution
import torch
from torch import nn, Tensor

BRANCHES = 4
IMAGE_CHANNELS = 3


class NormAct(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.act = nn.PReLU(channels)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        activated: Tensor = self.act(self.norm(features))
        return activated


class ConvNormAct(nn.Module):
    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, *, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv = convolution(in_channels, out_channels, kernel, stride=stride, groups=groups)
        self.norm = nn.BatchNorm2d(out_channels)
        self.act = nn.PReLU(out_channels)

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, H / stride, W / stride)."""
        activated: Tensor = self.act(self.norm(self.conv(features)))
        return activated


class ConvNorm(nn.Module):
    """Point-wise convolution and batch norm."""

    def __init__(self, in_channels: int, out_channels: int, *, groups: int = 1) -> None:
        super().__init__()
        self.conv = convolution(in_channels, out_channels, 1, groups=groups)
        self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, H, W)."""
        normed: Tensor = self.norm(self.conv(features))
        return normed


class DepthwisePyramid(nn.Module):
    """
    Extremely efficient spatial pyramid (EESP) up to its expansion (the paper's figure 1c).

    Grouped reduction, dilated depth-wise convolutions, each added to the sum of those before
    it (HFF), and a grouped expansion.

    :param dilations: of the branches; each gives a quarter of the output channels
    :param stride: of the depth-wise convolutions
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        dilations: tuple[int, ...],
        *,
        stride: int = 1,
    ) -> None:
        super().__init__()
        channels = out_channels // BRANCHES
        self.reduce = ConvNormAct(in_channels, channels, 1, groups=BRANCHES)
        self.branches = nn.ModuleList(
            convolution(channels, channels, 3, stride=stride, dilation=dilation, groups=channels)
            for dilation in dilations
        )
        self.norm_act = NormAct(out_channels)
        self.expand = ConvNorm(out_channels, out_channels, groups=BRANCHES)

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, H / stride, W / stride)."""
        reduced = self.reduce(features)
        first, *rest = [branch(reduced) for branch in self.branches]
        fused = [first]
        for branch in rest:
            fused.append(fused[-1] + branch)
        expanded: Tensor = self.expand(self.norm_act(torch.cat(fused, dim=1)))
        return expanded


class EespModule(nn.Module):
    """EESP with its input added."""

    def __init__(self, channels: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.pyramid = DepthwisePyramid(channels, channels, dilations)
        self.act = nn.PReLU(channels)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        activated: Tensor = self.act(self.pyramid(features) + features)
        return activated


class EespDownsampler(nn.Module):
    """Strided EESP beside an average pooling, and the image added (the paper's figure 2)."""

    def __init__(self, in_channels: int, out_channels: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(3, stride=2, padding=1)
        self.pyramid = DepthwisePyramid(
            in_channels, out_channels - in_channels, dilations, stride=2
        )
        self.reinforce = nn.Sequential(
            ConvNormAct(IMAGE_CHANNELS, IMAGE_CHANNELS, 3),
            ConvNorm(IMAGE_CHANNELS, out_channels),
        )
        self.act = nn.PReLU(out_channels)

    def forward(self, features: Tensor, image: Tensor) -> Tensor:
        """
        Halve the size.

        :param features: (N, in, H, W)
        :param image: (N, 3, H / 2, W / 2)
        :return: (N, out, H / 2, W / 2)
        """
        halved = torch.cat([self.pool(features), self.pyramid(features)], dim=1)
        activated: Tensor = self.act(halved + self.reinforce(image))
        return activated
