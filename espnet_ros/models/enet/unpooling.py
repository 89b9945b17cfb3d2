"""
Max-pooling that can be undone, without the operators that runtimes lack.

ENet pools with a stride of two and remembers where each maximum was, to put values back there.
TensorRT has neither the indices of a pooling nor an unpooling. Here the place of a maximum in
its window is found by comparing the strided views of the features, and values are put back by
choosing them for each of the four places of a 2x2 block: slices, comparisons, a choice and a
depth-to-space, which every runtime has.

The result is exactly that of ``torch.nn.functional.max_pool2d(..., return_indices=True)`` and
``max_unpool2d`` with a kernel and stride of two, of equal maxima the first. Windows of 3x3
overlap, so that two of them may have the same maximum; the one that comes last in the order of
rows then wins, as in torch on a CPU.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn, Tensor
from torch.nn import functional


class Pooled(NamedTuple):
    """
    What a pooling leaves.

    :param features: (N, C, H / 2, W / 2), the maxima
    :param places: of the same shape and type, which pixel of its window each maximum was,
        counted along rows
    """

    features: Tensor
    places: Tensor


class MaxPooling(nn.Module):
    """
    Max-pooling of stride two.

    :param kernel: 2, or 3 with one pixel of padding
    """

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel

    def forward(self, features: Tensor) -> Pooled:
        """Map (N, C, H, W) of even sizes to the maxima and their places."""
        if self.kernel == 3:
            features = _bordered(features, float('-inf'), before=True)
        views = _window_views(features, self.kernel)
        best = views[0]
        places = torch.zeros_like(best)
        for place, view in enumerate(views[1:], start=1):
            better = view > best
            best = torch.where(better, view, best)
            places = torch.where(better, float(place), places)
        return Pooled(best, places)


class MaxUnpooling(nn.Module):
    """
    Puts values back to where the maxima of a pooling were, and zero elsewhere.

    :param kernel: that of the pooling
    """

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel

    def forward(self, features: Tensor, places: Tensor) -> Tensor:
        """
        Undo a pooling.

        :param features: (N, C, H / 2, W / 2)
        :param places: what the pooling gave
        :return: (N, C, H, W)
        """
        zero = torch.zeros((), dtype=features.dtype, device=features.device)
        if self.kernel == 2:
            quarters = [torch.where(places == place, features, zero) for place in range(4)]
            return _interleave(quarters)
        # Windows at the lower and right edge have no neighbour; no place is negative.
        features = _bordered(features, 0.0, before=False)
        places = _bordered(places, -1.0, before=False)
        quarters = []
        for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
            # A pixel lies in one window or in two, along rows and along columns; in order.
            value = zero
            for down in range(row + 1):
                for right in range(column + 1):
                    place = 3 * (1 + row - 2 * down) + (1 + column - 2 * right)
                    here = _shift(places, down, right) == place
                    value = torch.where(here, _shift(features, down, right), value)
            quarters.append(value)
        return _interleave(quarters)


def _window_views(features: Tensor, kernel: int) -> list[Tensor]:
    """Return each pixel of the windows, along rows."""
    ends = [_end(start, kernel) for start in range(kernel)]
    return [
        features[..., row : ends[row] : 2, column : ends[column] : 2]
        for row in range(kernel)
        for column in range(kernel)
    ]


def _end(start: int, kernel: int) -> int | None:
    """Return where a strided view ends, so that all have the same length."""
    return -1 if kernel == 3 and start == 0 else None


def _bordered(features: Tensor, value: float, *, before: bool) -> Tensor:
    """Add a row and a column of a value, above and left, or below and right."""
    # By clamping: ``pad`` cannot be exported to opset 17, and filling needs the shape.
    for dim in (2, 3):
        border = features.narrow(dim, 0, 1).clamp(value, value)
        features = torch.cat([border, features] if before else [features, border], dim=dim)
    return features


def _shift(bordered: Tensor, down: int, right: int) -> Tensor:
    """Return the view that begins so many rows and columns later, without the border."""
    return bordered[..., down : down - 1 or None, right : right - 1 or None]


def _interleave(quarters: list[Tensor]) -> Tensor:
    """Return (N, C, 2 H, 2 W) of its even and odd rows and columns."""
    return functional.pixel_shuffle(torch.stack(quarters, dim=2).flatten(1, 2), 2)
