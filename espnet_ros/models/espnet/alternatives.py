"""
The modules that the paper compares with ESP (figures 3 and 5), in its place in ESPNet-C.

The paper sketches them and leaves their inner widths open. Here the bottlenecks are a quarter
of the channels, as in the papers that they come from, and every convolution has batch norm and
the network's activation behind it, but for the last one, whose activation follows the sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from espnet_ros.models.espnet.blocks import ConvNormAct, convolution, NORM_EPSILON, NormAct
from espnet_ros.models.espnet.esp_module import EspModule
from espnet_ros.models.espnet.style import EspnetStyle
import torch
from torch import nn, Tensor

GROUPS = 4
"""Groups of channels of ShuffleNet; parallel paths of Inception and ResNeXt."""


class Residual(nn.Module):
    """
    Layers around which the input goes, then norm and activation.

    :param layers: map (N, C, H, W) to the same shape
    :param style: whether the input is added, and the activation
    """

    def __init__(self, channels: int, layers: Sequence[nn.Module], style: EspnetStyle) -> None:
        super().__init__()
        self.residual = style.residual
        self.layers = nn.Sequential(*layers)
        self.norm_act = NormAct(channels, style.activation)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        transformed: Tensor = self.layers(features)
        if self.residual:
            transformed = transformed + features
        activated: Tensor = self.norm_act(transformed)
        return activated


class Parallel(nn.Module):
    """Paths whose outputs are put one behind the other."""

    def __init__(self, paths: Sequence[nn.Module]) -> None:
        super().__init__()
        self.paths = nn.ModuleList(paths)

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, sum of the outputs, H, W)."""
        return torch.cat([path(features) for path in self.paths], dim=1)


def mobilenet(channels: int, style: EspnetStyle) -> nn.Module:
    """Return a depth-wise 3x3 convolution and a point-wise one (Howard et al., 2017)."""
    depthwise = ConvNormAct(channels, channels, 3, groups=channels, activation=style.activation)
    return Residual(channels, [depthwise, convolution(channels, channels, 1)], style)


def shufflenet(channels: int, style: EspnetStyle) -> nn.Module:
    """Return a bottleneck of grouped and depth-wise convolutions (Zhang et al., 2018)."""
    inner = channels // 4
    layers = [
        ConvNormAct(channels, inner, 1, groups=GROUPS, activation=style.activation),
        nn.ChannelShuffle(GROUPS),
        convolution(inner, inner, 3, groups=inner),
        nn.BatchNorm2d(inner, eps=NORM_EPSILON),
        convolution(inner, channels, 1, groups=GROUPS),
    ]
    return Residual(channels, layers, style)


def inception(channels: int, style: EspnetStyle) -> nn.Module:
    """Return parallel reductions with a 3x3 convolution each (Szegedy et al., 2017)."""
    inner = channels // GROUPS
    paths = [
        nn.Sequential(
            ConvNormAct(channels, inner, 1, activation=style.activation),
            convolution(inner, inner, 3),
        )
        for _ in range(GROUPS)
    ]
    return Residual(channels, [Parallel(paths)], style)


def resnext(channels: int, style: EspnetStyle) -> nn.Module:
    """Return a bottleneck with a grouped 3x3 convolution (Xie et al., 2017)."""
    inner = channels // 2
    layers = [
        ConvNormAct(channels, inner, 1, activation=style.activation),
        ConvNormAct(inner, inner, 3, groups=GROUPS, activation=style.activation),
        convolution(inner, channels, 1),
    ]
    return Residual(channels, layers, style)


def resnet(channels: int, style: EspnetStyle) -> nn.Module:
    """Return two 3x3 convolutions (He et al., 2016, the basic module)."""
    first = ConvNormAct(channels, channels, 3, activation=style.activation)
    return Residual(channels, [first, convolution(channels, channels, 3)], style)


def esp(channels: int, style: EspnetStyle) -> nn.Module:
    return EspModule(channels, channels, residual=style.residual, style=style)


MAKERS: dict[str, Callable[[int, EspnetStyle], nn.Module]] = {
    'esp': esp,
    'mobilenet': mobilenet,
    'shufflenet': shufflenet,
    'inception': inception,
    'resnext': resnext,
    'resnet': resnet,
}


def make_stage(channels: int, depth: int, style: EspnetStyle) -> nn.Sequential:
    """Return so many modules in a row."""
    return nn.Sequential(*(MAKERS[style.module](channels, style) for _ in range(depth)))
