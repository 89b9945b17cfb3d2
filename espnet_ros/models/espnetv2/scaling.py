"""
Averages and enlargements between any two sizes, by operators that every runtime has.

The decoder of ESPNetv2 looks at its features at five scales. Adaptive average pooling, by which
the authors bring them to a scale and back, is in no runtime but torch. It is linear and
separable, so that it is one of three things, each with exactly its result.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

Size = tuple[int, int]


def average_to(features: Tensor, size: Size) -> Tensor:
    """
    Return what ``adaptive_avg_pool2d`` does.

    :param features: (N, C, H, W)
    :param size: (height, width) of the result
    """
    height, width = int(features.shape[2]), int(features.shape[3])
    if height % size[0] == 0 and width % size[1] == 0:
        factors = (height // size[0], width // size[1])
        return features if factors == (1, 1) else functional.avg_pool2d(features, factors)
    if (2 * height, 2 * width) == (3 * size[0], 3 * size[1]):
        return _three_to_two(features)
    rows = _averaging_matrix(height, size[0]).to(features)
    columns = _averaging_matrix(width, size[1]).to(features)
    return rows @ features @ columns.T


def enlarge_to(features: Tensor, size: Size) -> Tensor:
    """Return features of another size, bilinear, whose corner pixels stay corner pixels."""
    enlarged: Tensor = functional.interpolate(
        features, size=size, mode='bilinear', align_corners=True
    )
    return enlarged


def _three_to_two(features: Tensor) -> Tensor:
    """Average windows of two that begin at 0, 1, 3, 4, 6, 7, ... of rows and columns."""
    quarters = [
        functional.avg_pool2d(features[..., row:, column:], 2, stride=3)
        for row in (0, 1)
        for column in (0, 1)
    ]
    return functional.pixel_shuffle(torch.stack(quarters, dim=2).flatten(1, 2), 2)


def _averaging_matrix(before: int, after: int) -> Tensor:
    """Return (after, before): the share of each pixel before in each pixel after."""
    rows = []
    for index in range(after):
        start = index * before // after
        end = -(-(index + 1) * before // after)
        rows.append([1 / (end - start) if start <= i < end else 0.0 for i in range(before)])
    return torch.tensor(rows)
