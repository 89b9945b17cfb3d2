"""What every segmentation network has: class count, strides, and the check of its input."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import nn, Tensor

IMAGE_CHANNELS = 3

UNUSED_TENSOR = 'num_batches_tracked'
"""End of the name of a counter in every batch norm that nothing here uses."""


class SegmentationNetwork(nn.Module, ABC):
    """
    A network from a normalised image to logits.

    :param classes: number of classes, void included where it is predicted
    :raises ValueError: fewer than two classes
    """

    size_multiple: ClassVar[int]
    """Height and width of the image must be multiples of this."""

    output_stride: ClassVar[int]
    """Size of the image divided by the size of the logits."""

    fixed_size: ClassVar[bool] = False
    """Whether a model file of it takes images of one size only."""

    computes_with_sizes: bool = False
    """
    Whether it computes with the size of its images, by views, slices or interpolation to a size;
    convolutions, pooling and interpolation by a factor do not.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        if classes < 2:
            raise ValueError(f'expected at least 2 classes, found {classes}')
        self.classes = classes

    def forward(self, image: Tensor) -> Tensor:
        """
        Compute the logits.

        :param image: (N, 3, H, W), normalised; H and W multiples of ``size_multiple``
        :return: (N, classes, H / output_stride, W / output_stride)
        :raises ValueError: the image has another shape
        """
        # The check stays out of exported graphs, whose runtimes check by themselves.
        if not torch.compiler.is_compiling():
            self._check_shape(tuple(image.shape))
        return self._logits(image)

    def supervised_logits(self, image: Tensor) -> tuple[Tensor, ...]:
        """
        Compute all that labels can teach: the logits, and what the network thinks on its way.

        :param image: as :meth:`forward` takes it
        :return: what :meth:`forward` returns, then logits of the same classes, of any size
        """
        return (self(image),)

    @abstractmethod
    def _logits(self, image: Tensor) -> Tensor:
        """Compute the logits of an image whose shape was checked."""

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 4 or shape[1] != IMAGE_CHANNELS or 0 in shape:
            raise ValueError(f'expected images of shape (N, 3, H, W), found {shape}')
        multiple = self.size_multiple
        height, width = shape[2:]
        if height % multiple or width % multiple:
            nearest = tuple(-(-size // multiple) * multiple for size in (height, width))
            raise ValueError(
                f'expected height and width that are multiples of {multiple}, found '
                f'{height}x{width}; pad or resize the image, for example to '
                f'{nearest[0]}x{nearest[1]}'
            )


def check_depth(name: str, depth: int) -> int:
    """
    Return the number of modules of a stage.

    :raises ValueError: less than one
    """
    if depth < 1:
        raise ValueError(f'{name}: expected at least 1 module, found {depth}')
    return depth
