"""A start for ESPNet's decoder from which it does not have to learn what it is there for."""

from __future__ import annotations

import math

from espnet_ros.models.espnet.blocks import NormAct
from espnet_ros.models.espnet.esp_module import SpatialPyramid
from espnet_ros.models.espnet.network import Decoder
import torch
from torch import nn, Tensor

_RANDOM = 0.03
"""What is left of random weights, from which the decoder learns more than it starts with."""


@torch.no_grad()
def start_as_enlargement(decoder: Decoder) -> None:
    """
    Write weights with which a fresh decoder enlarges the encoder's scores.

    Random weights mix the scores of the classes, and a decoder as narrow as ESPNet's takes long
    to tell them apart again: its ESP module reduces 12 classes to two channels. Here the scores
    find their way: transposed convolutions repeat pixels, as those of FCN begin with
    interpolating (Long et al., CVPR 2015, section 3.3), and in the ESP module every class has a
    direction of its own, into which its score points and along which it is read.

    Where the module leaves one channel to more than two classes (up to nine), there is no such
    way, and the weights stay as they are.

    :param decoder: changed; as it was made
    """
    reduce, pyramid = decoder.merge2.reduce, decoder.merge2.pyramid
    classes = decoder.up1.out_channels
    directions = class_directions(classes, reduce.out_channels)
    if directions is None:
        return
    for up in (decoder.up3, decoder.up2, decoder.up1):
        up.weight.copy_(torch.eye(classes)[:, :, None, None].expand_as(up.weight))
    # The first channels are features of the encoder, the scores follow.
    _let_the_highest_pass(decoder.norm_act2, classes)
    reduce.weight[:, classes:].zero_()
    _center(reduce.weight)[:, classes:] = directions.T
    _write_pyramid(pyramid, directions)
    merge = decoder.merge1.conv.weight.mul_(_RANDOM)
    _center(merge)[:, :classes] += torch.eye(classes)


def _let_the_highest_pass(norm_act: NormAct, classes: int) -> None:
    """Leave of the scores, which come last, what is well above the mean: few point at once."""
    norm_act.norm.bias[-classes:] = -1.0
    if isinstance(norm_act.act, nn.PReLU):
        norm_act.act.weight[-classes:] = 0.0


def class_directions(classes: int, channels: int) -> Tensor | None:
    """
    Return a direction for each class, of which none is like another.

    They are a harmonic frame: in two channels, points at equal distances on a circle.

    :return: float32, (classes, channels), of length one; None where there are too few channels
    """
    if channels < 2 < classes:
        return None
    angles = torch.arange(classes) * (2 * math.pi / classes)
    waves = [
        (torch.sin if channel % 2 else torch.cos)(angles * (1 + channel // 2))
        for channel in range(channels)
    ]
    return nn.functional.normalize(torch.stack(waves, dim=1), dim=1)


def _write_pyramid(pyramid: SpatialPyramid, directions: Tensor) -> None:
    """Let each output channel read its class, whatever the fusion adds to it."""
    first = 0
    added: Tensor | float = 0.0
    # All its parameters are the weights of its branches.
    for index, weight in enumerate(pyramid.parameters()):
        wanted = directions[first : first + len(weight)]
        first += len(weight)
        weight.mul_(_RANDOM)
        _center(weight).add_(wanted - added)
        # The undilated branch stays out of the sums.
        if index and pyramid.fusion:
            added = wanted


def _center(weight: Tensor) -> Tensor:
    """Return the middle of square kernels, (out, in), to be written to."""
    middle = weight.shape[-1] // 2
    return weight[:, :, middle, middle]
