"""
The layers that ESPNet is built of.

Source: Mehta et al., ESPNet: Efficient Spatial Pyramid of Dilated Convolutions for
Semantic Segmentation, ECCV 2018, section 3; where the paper is silent, the authors' code
(github.com/sacmehta/ESPNet, MIT) decides: no convolution has a bias, batch norm has an
epsilon of 1e-3, and PReLU has one weight for each channel.
"""

from __future__ import annotations

from torch import nn, Tensor

NORM_EPSILON = 1e-3


def convolution(
    in_channels: int,
    out_channels: int,
    kernel: int,
    *,
    stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
) -> nn.Conv2d:
    """
    Return a convolution without bias that keeps the size, but for the stride.

    :param kernel: height and width of the kernel, odd
    """
    padding = (kernel - 1) // 2 * dilation
    return nn.Conv2d(
        in_channels, out_channels, kernel, stride, padding, dilation, groups, bias=False
    )


def make_activation(channels: int, kind: str) -> nn.Module:
    """Return a PReLU with a slope for each channel, or a ReLU."""
    return nn.PReLU(channels) if kind == 'prelu' else nn.ReLU()


class NormAct(nn.Module):
    """
    Batch norm and activation.

    :param activation: ``prelu`` or ``relu``
    """

    def __init__(self, channels: int, activation: str = 'prelu') -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, eps=NORM_EPSILON)
        self.act = make_activation(channels, activation)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        activated: Tensor = self.act(self.norm(features))
        return activated


class ConvNormAct(nn.Module):
    """
    Convolution, batch norm and activation.

    :param groups: into how many groups the channels are divided
    :param activation: ``prelu`` or ``relu``
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        activation: str = 'prelu',
    ) -> None:
        super().__init__()
        self.conv = convolution(in_channels, out_channels, kernel, stride=stride, groups=groups)
        self.norm = nn.BatchNorm2d(out_channels, eps=NORM_EPSILON)
        self.act = make_activation(out_channels, activation)

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, H / stride, W / stride)."""
        activated: Tensor = self.act(self.norm(self.conv(features)))
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
