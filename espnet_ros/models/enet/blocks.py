"""
The blocks of ENet.

Source: Paszke et al., ENet: A Deep Neural Network Architecture for Real-Time Semantic
Segmentation, arXiv 1606.02147, section 3 and figure 2.
"""

from __future__ import annotations

from espnet_ros.models.enet.style import EnetStyle
from espnet_ros.models.enet.unpooling import MaxPooling, MaxUnpooling
import torch
from torch import nn, Tensor

INTERNAL_RATIO = 4


class LayerMaker:
    """Makes the layers of one part of the network."""

    def __init__(self, style: EnetStyle, *, decoder: bool = False) -> None:
        self.style = style
        self._prelu = style.decoder_prelu or not decoder

    def norm(self, channels: int) -> nn.Module:
        return nn.BatchNorm2d(channels, eps=self.style.epsilon)

    def activation(self, channels: int, *, outer: bool = False) -> nn.Module:
        if not self._prelu:
            return nn.ReLU()
        per_channel = self.style.outer_slopes if outer else self.style.inner_slopes
        return nn.PReLU(channels if per_channel else 1)

    def unit(self, convolution: nn.Conv2d | nn.ConvTranspose2d, *, act: bool = True) -> nn.Module:
        """Return a convolution, its batch norm, and an activation if wanted."""
        channels = convolution.out_channels
        layers = [convolution, self.norm(channels)]
        if act:
            layers.append(self.activation(channels))
        return nn.Sequential(*layers)

    def convolution(self, channels: int, dilation: int = 1) -> nn.Module:
        """Return the 3x3 convolution of a bottleneck with norm and activation."""
        return self.unit(
            nn.Conv2d(
                channels, channels, 3, padding=dilation, dilation=dilation, bias=self.style.bias
            )
        )

    def asymmetric(self, channels: int) -> nn.Module:
        """Return a 5x1 and a 1x5 convolution with norm and activation."""
        column = nn.Conv2d(channels, channels, (5, 1), padding=(2, 0), bias=False)
        row = nn.Conv2d(channels, channels, (1, 5), padding=(0, 2), bias=self.style.bias)
        first = self.unit(column) if self.style.asymmetric_norm else column
        return nn.Sequential(first, self.unit(row))

    def inner_channels(self, in_channels: int, out_channels: int) -> int:
        """Return the channels inside of a bottleneck that changes their number."""
        outside = out_channels if self.style.inner_of_output else in_channels
        return outside // INTERNAL_RATIO


class Stem(nn.Module):
    """The first block: a strided convolution and a max-pooling, side by side."""

    def __init__(self, in_channels: int, out_channels: int, maker: LayerMaker) -> None:
        super().__init__()
        kernel = maker.style.stem_pooling
        self.conv = nn.Conv2d(
            in_channels,
            out_channels - in_channels,
            3,
            stride=2,
            padding=1,
            bias=maker.style.bias,
        )
        self.pool = nn.MaxPool2d(kernel, stride=2, padding=kernel - 2)
        self.norm = maker.norm(out_channels)
        self.act = maker.activation(out_channels, outer=True)

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, 3, H, W) to (N, out, H / 2, W / 2)."""
        features = torch.cat([self.conv(image), self.pool(image)], dim=1)
        activated: Tensor = self.act(self.norm(features))
        return activated


class Bottleneck(nn.Module):
    """
    Project, convolve, expand, and add the input.

    :param dilation: of the 3x3 convolution
    :param asymmetric: whether a 5x1 and a 1x5 convolution take the place of the 3x3 one
    :param dropout: share of the channels that training drops
    """

    def __init__(
        self,
        channels: int,
        maker: LayerMaker,
        *,
        dilation: int = 1,
        asymmetric: bool = False,
        dropout: float,
    ) -> None:
        super().__init__()
        inner = channels // INTERNAL_RATIO
        self.project = maker.unit(nn.Conv2d(channels, inner, 1, bias=False))
        self.convolve = (
            maker.asymmetric(inner) if asymmetric else maker.convolution(inner, dilation)
        )
        self.expand = maker.unit(
            nn.Conv2d(inner, channels, 1, bias=False), act=maker.style.expanded_activation
        )
        self.dropout = nn.Dropout2d(dropout)
        self.act = maker.activation(channels, outer=True)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        extension = self.dropout(self.expand(self.convolve(self.project(features))))
        activated: Tensor = self.act(features + extension)
        return activated


class DownBottleneck(nn.Module):
    """Bottleneck that halves the size; the input goes around it through a max-pooling."""

    def __init__(
        self, in_channels: int, out_channels: int, maker: LayerMaker, *, dropout: float
    ) -> None:
        super().__init__()
        inner = maker.inner_channels(in_channels, out_channels)
        self.in_channels = in_channels
        self.pool = MaxPooling(maker.style.pooling)
        self.project = maker.unit(nn.Conv2d(in_channels, inner, 2, stride=2, bias=False))
        self.convolve = maker.convolution(inner)
        self.expand = maker.unit(
            nn.Conv2d(inner, out_channels, 1, bias=False), act=maker.style.expanded_activation
        )
        self.dropout = nn.Dropout2d(dropout)
        self.act = maker.activation(out_channels, outer=True)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Map (N, in, H, W) to (N, out, H / 2, W / 2) and the places of the maxima."""
        pooled, places = self.pool(features)
        extension = self.dropout(self.expand(self.convolve(self.project(features))))
        # The channels that the input lacks count as zero.
        both = extension[:, : self.in_channels] + pooled
        widened = torch.cat([both, extension[:, self.in_channels :]], dim=1)
        return self.act(widened), places


class UpBottleneck(nn.Module):
    """Bottleneck that doubles the size; the input goes around it through an unpooling."""

    def __init__(
        self, in_channels: int, out_channels: int, maker: LayerMaker, *, dropout: float
    ) -> None:
        super().__init__()
        inner = maker.inner_channels(in_channels, out_channels)
        style = maker.style
        self.narrow = maker.unit(nn.Conv2d(in_channels, out_channels, 1, bias=False), act=False)
        self.unpool = MaxUnpooling(style.pooling)
        self.project = maker.unit(nn.Conv2d(in_channels, inner, 1, bias=False))
        self.convolve = maker.unit(doubling(inner, inner, style.doubling, bias=style.bias))
        self.expand = maker.unit(
            nn.Conv2d(inner, out_channels, 1, bias=False), act=style.upsampling_activation
        )
        self.dropout = nn.Dropout2d(dropout)
        self.act = maker.activation(out_channels, outer=True)

    def forward(self, features: Tensor, places: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, 2 H, 2 W)."""
        unpooled = self.unpool(self.narrow(features), places)
        extension = self.dropout(self.expand(self.convolve(self.project(features))))
        activated: Tensor = self.act(unpooled + extension)
        return activated


def doubling(
    in_channels: int, out_channels: int, kernel: int, *, bias: bool
) -> nn.ConvTranspose2d:
    """Return a transposed convolution of kernel 2 or 3 that doubles the size exactly."""
    return nn.ConvTranspose2d(
        in_channels,
        out_channels,
        kernel,
        stride=2,
        padding=kernel - 2,
        output_padding=kernel - 2,
        bias=bias,
    )
