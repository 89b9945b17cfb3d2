"""
The confusion matrix, and what is read off it: IoU by both void protocols, class average, accuracy.

Papers count void in two ways, and the results differ by points, so both are computed:

- *void ignored*: pixels whose truth is void or unlabelled do not count at all. It is what
  Cityscapes does and what is usual today.
- *void as false positive*: such pixels count against the class that was predicted there. It is
  what the authors of ESPNet did on CamVid.

In both, a labelled pixel predicted as void is a miss, and void itself is no class of the mean.
The mean is over the classes that are in the truth or predicted on pixels that count, as in
cityscapesScripts (evalPixelLevelSemanticLabeling.py, getScoreAverage): a class that is predicted
but nowhere true has IoU 0 there, and one that is neither has no IoU and is left out.
"""

from __future__ import annotations

from espnet_ros.labels import Grouping, LabelSet
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


def counted_classes(label_set: LabelSet) -> tuple[int, ...]:
    """Return the ids of the classes that count: all but void."""
    return tuple(i for i in range(len(label_set.classes)) if i != label_set.void_id)


def class_iou(
    counts: NDArray[np.int64], counted: tuple[int, ...], *, void_as_false_positive: bool = False
) -> NDArray[np.float64]:
    """
    Return intersection over union of each class that counts.

    :param counts: a square confusion matrix; rows are the truth
    :param counted: the ids of the classes that count; every other row is void
    :param void_as_false_positive: whether predictions on void count against their class
    :return: float64, one value from 0 to 1 a class; NaN where it neither is nor was predicted
    """
    ids = list(counted)
    hits = counts[ids, ids]
    truth = counts[ids].sum(axis=1)
    rows = slice(None) if void_as_false_positive else ids
    predicted = counts[rows][:, ids].sum(axis=0)
    return _ratio(hits, truth + predicted - hits)


def class_recall(counts: NDArray[np.int64], counted: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the share of each class's pixels that was found; NaN where it has none."""
    ids = list(counted)
    return _ratio(counts[ids, ids], counts[ids].sum(axis=1))


def pixel_accuracy(counts: NDArray[np.int64], counted: tuple[int, ...]) -> float:
    """Return the share of labelled pixels that got their class; NaN where there are none."""
    ids = list(counted)
    accuracy = _ratio(counts[ids, ids].sum()[None], counts[ids].sum()[None])
    return float(accuracy[0])


def mean(values: NDArray[np.float64]) -> float:
    """Return the mean of the values that are numbers; NaN where none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float('nan')


def group_counts(
    counts: NDArray[np.int64], label_set: LabelSet, grouping: Grouping
) -> NDArray[np.int64]:
    """
    Return the confusion matrix of the groups of a grouping.

    Classes in no group, void and unlabelled become the last row and column.

    :param counts: (classes + 1, classes + 1)
    :return: int64, (groups + 1, groups + 1)
    """
    groups = len(grouping)
    members = np.zeros((groups + 1, counts.shape[0]), np.int64)
    table = label_set.group_table(grouping, unlabelled_id=groups)
    members[table[: len(label_set.classes)], range(len(label_set.classes))] = 1
    members[groups, len(label_set.classes) :] = 1
    return members @ counts @ members.T


def exchanged_classes(
    counts: NDArray[np.int64], counted: tuple[int, ...]
) -> tuple[tuple[int, int], ...]:
    """
    Return the classes that labels call otherwise than the model, as if their ids were exchanged.

    That is so where other names, each for one class alone, would fit most labelled pixels and
    twice as many as the labels' own: ids that begin at 1, for example, or those of another set.

    :return: (true class, predicted class) each; empty where the ids fit, or the model is too poor
        to tell
    """
    ids = list(counted)
    part = counts[np.ix_(ids, ids)]
    found: dict[int, int] = {}
    hits = 0
    best = part.argmax(axis=1)
    for row in np.argsort(-part.max(axis=1), kind='stable').tolist():
        if part[row, best[row]] and best[row] not in found.values():
            found[row] = int(best[row])
            hits += int(part[row, best[row]])
    if hits <= 0.5 * counts[ids].sum() or np.trace(part) > 0.5 * hits:
        return ()
    return tuple((ids[row], ids[column]) for row, column in found.items() if row != column)


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    ratio = np.full(whole.shape, np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio
