"""The confusion matrix of a whole data set."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class ConfusionMatrix:
    """
    Counts how often each true class was taken for each class.

    Ids without a class, for example 255 for unlabelled, are counted in one more row and column,
    the last.

    :ivar counts: int64, (classes + 1, classes + 1); rows are the truth, columns the prediction
    :raises ValueError: no classes, or more than ids of uint8
    """

    def __init__(self, classes: int) -> None:
        if not 1 <= classes <= 255:
            raise ValueError(f'expected 1 to 255 classes, found {classes}')
        self.classes = classes
        self.counts: NDArray[np.int64] = np.zeros((classes + 1, classes + 1), np.int64)

    def add(self, truth: NDArray[np.uint8], predicted: NDArray[np.uint8]) -> NDArray[np.int64]:
        """
        Count the pixels of one image.

        :param truth: uint8 class ids of any shape
        :param predicted: uint8 class ids of the same shape
        :return: the counts of this image alone, shaped as :attr:`counts`
        :raises ValueError: the shapes or types differ from that
        """
        if (
            truth.shape != predicted.shape
            or truth.dtype != np.uint8
            or predicted.dtype != np.uint8
        ):
            raise ValueError(
                f'expected two uint8 label maps of one shape, found {truth.dtype} {truth.shape} '
                f'and {predicted.dtype} {predicted.shape}'
            )
        side = self.classes + 1
        rows = np.minimum(truth, self.classes).ravel().astype(np.intp)
        columns = np.minimum(predicted, self.classes).ravel()
        pairs = np.bincount(rows * side + columns, minlength=side * side)
        counts: NDArray[np.int64] = pairs.astype(np.int64).reshape(side, side)
        self.counts += counts
        return counts
