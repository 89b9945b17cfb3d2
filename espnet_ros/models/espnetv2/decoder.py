"""
The decoder of ESPNetv2, as the authors' later code has it.

Source: github.com/sacmehta/EdgeNets (MIT); the paper has an earlier and simpler one.
"""

from __future__ import annotations

from math import ceil, gcd

from espnet_ros.models.espnet.blocks import convolution
from espnet_ros.models.espnetv2.blocks import ConvNormAct, NormAct
from espnet_ros.models.espnetv2.scaling import average_to, enlarge_to
import torch
from torch import nn, Tensor

SCALES = (2.0, 1.5, 1.0, 0.5, 0.1)
SMALLEST = 5
"""Height and width that no scale goes below."""


class PyramidPooling(nn.Module):
    """
    Efficient pyramid pooling: the same features seen at five scales, and merged.

    :param inner_channels: channels at each scale
    :param last: whether it gives logits: with a bias, without norm and activation
    """

    def __init__(
        self, in_channels: int, inner_channels: int, out_channels: int, *, last: bool = False
    ) -> None:
        super().__init__()
        stacked = inner_channels * len(SCALES)
        self.project = ConvNormAct(in_channels, inner_channels, 1)
        self.scales = nn.ModuleList(
            convolution(inner_channels, inner_channels, 3, groups=inner_channels) for _ in SCALES
        )
        self.norm_act = NormAct(stacked)
        self.shuffle = nn.ChannelShuffle(len(SCALES))
        self.merge = ConvNormAct(stacked, inner_channels, 3, groups=inner_channels)
        self.expand = nn.Conv2d(inner_channels, out_channels, 1, bias=last)
        self.out = nn.Identity() if last else NormAct(out_channels)

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, H, W)."""
        projected = self.project(features)
        seen = [
            _at_scale(projected, scale, layer)
            for scale, layer in zip(SCALES, self.scales, strict=True)
        ]
        merged = self.merge(self.shuffle(self.norm_act(torch.cat(seen, dim=1))))
        expanded: Tensor = self.out(self.expand(merged))
        return expanded


class WeightedConvolution(nn.Module):
    """A grouped convolution whose channels are weighted by what the whole image shows."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.weigh = convolution(in_channels, out_channels, 1)
        self.convolve = ConvNormAct(
            in_channels, out_channels, 3, groups=gcd(in_channels, out_channels)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, H, W)."""
        weights = self.weigh(features.mean(dim=(2, 3), keepdim=True)).sigmoid()
        weighted: Tensor = self.convolve(features) * weights
        return weighted


class Merge(nn.Module):
    """Doubles the size of the decoder's features and adds those of the encoder."""

    def __init__(self, encoder_channels: int, channels: int) -> None:
        super().__init__()
        self.convolve = WeightedConvolution(encoder_channels, channels)
        self.norm_act = NormAct(channels)

    def forward(self, features: Tensor, encoder_features: Tensor) -> Tensor:
        """
        Merge.

        :param features: (N, channels, H / 2, W / 2)
        :param encoder_features: (N, encoder_channels, H, W)
        :return: (N, channels, H, W)
        """
        height, width = (2 * int(size) for size in features.shape[2:])
        doubled = enlarge_to(features, (height, width))
        merged: Tensor = self.norm_act(self.convolve(encoder_features) + doubled)
        return merged


def _at_scale(features: Tensor, scale: float, layer: nn.Module) -> Tensor:
    """Return features of the same shape, convolved at another scale."""
    size = (int(features.shape[2]), int(features.shape[3]))
    scaled = (max(ceil(size[0] * scale), SMALLEST), max(ceil(size[1] * scale), SMALLEST))
    if scale == 1:
        convolved = layer(features)
    elif scale < 1:
        convolved = enlarge_to(layer(average_to(features, scaled)), size)
    else:
        convolved = average_to(layer(enlarge_to(features, scaled)), size)
    result: Tensor = convolved
    return result
