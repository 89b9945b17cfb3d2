"""The accuracy of a model on a labelled data set, as a record."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Any

from espnet_ros.evaluation.metrics import (
    class_iou,
    class_recall,
    counted_classes,
    exchanged_classes,
    group_counts,
    mean,
    pixel_accuracy,
)
from espnet_ros.labels import Grouping, LabelSet
import numpy as np
from numpy.typing import NDArray

MIOU_RULE = 'over classes that are true or predicted where pixels count, as cityscapesScripts does'


@dataclass(frozen=True)
class MeanIou:
    """
    Mean IoU by both protocols; see :mod:`espnet_ros.evaluation.metrics`.

    :param void_ignored: 0 to 1, NaN where there are no labelled pixels
    :param void_as_false_positive: 0 to 1, NaN likewise
    """

    void_ignored: float
    void_as_false_positive: float


@dataclass(frozen=True)
class ClassAccuracy:
    """
    How well one class is found; all 0 to 1, NaN where the class neither is nor was predicted.

    :param iou: void ignored
    :param iou_void_as_false_positive: by the other protocol
    :param recall: share of its pixels that were found
    :param share: share of the labelled pixels that are of this class
    """

    name: str
    iou: float
    iou_void_as_false_positive: float
    recall: float
    share: float


@dataclass(frozen=True)
class GroupAccuracy:
    """
    How well the groups of a grouping are found.

    :param name: of the grouping, for example ``categories``
    :param miou: of its groups
    :param iou: (group, IoU with void ignored)
    """

    name: str
    miou: MeanIou
    iou: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Report:
    """
    The accuracy on a data set, computed from one confusion matrix over all of its pixels.

    :param images: how many were counted
    :param miou: mean IoU of the classes, void not among them
    :param class_average: mean recall of the classes
    :param pixel_accuracy: share of the labelled pixels that got their class
    :param classes: each class, void not among them
    :param exchanged: (true, predicted) names of classes; see :func:`exchanged_classes`
    """

    images: int
    miou: MeanIou
    class_average: float
    pixel_accuracy: float
    classes: tuple[ClassAccuracy, ...]
    groupings: tuple[GroupAccuracy, ...]
    exchanged: tuple[tuple[str, str], ...] = ()

    @property
    def absent(self) -> tuple[str, ...]:
        """Return the classes without a labelled pixel, of which nothing was learned here."""
        return tuple(entry.name for entry in self.classes if math.isnan(entry.recall))

    @property
    def averaged(self) -> int:
        """Return over how many classes the mean IoU with void ignored is."""
        return sum(not math.isnan(entry.iou) for entry in self.classes)

    def to_dict(self) -> dict[str, Any]:
        """Return the report in percent, with None for what is not known, as its JSON holds it."""
        return {
            'images': self.images,
            'miou': _miou_dict(self.miou),
            'miou_rule': MIOU_RULE,
            'classes_in_miou': self.averaged,
            'classes_without_pixels': list(self.absent),
            'classes_exchanged': [list(pair) for pair in self.exchanged],
            'class_average': _percent(self.class_average),
            'pixel_accuracy': _percent(self.pixel_accuracy),
            'class_iou': {entry.name: _percent(entry.iou) for entry in self.classes},
            'class_iou_void_as_false_positive': {
                entry.name: _percent(entry.iou_void_as_false_positive) for entry in self.classes
            },
            'class_recall': {entry.name: _percent(entry.recall) for entry in self.classes},
            'class_share': {entry.name: _percent(entry.share) for entry in self.classes},
            'groupings': {
                entry.name: {
                    'miou': _miou_dict(entry.miou),
                    'iou': {group: _percent(iou) for group, iou in entry.iou},
                }
                for entry in self.groupings
            },
        }


def make_report(counts: NDArray[np.int64], label_set: LabelSet, images: int) -> Report:
    """
    Read everything off a confusion matrix.

    :param counts: (classes + 1, classes + 1); see
        :class:`~espnet_ros.evaluation.metrics.ConfusionMatrix`
    :param images: how many it counted
    """
    counted = counted_classes(label_set)
    iou, iou_strict, miou = _ious(counts, counted)
    recall = class_recall(counts, counted)
    labelled = counts[list(counted)].sum(axis=1)
    share = labelled / labelled.sum() if labelled.sum() else np.full(len(counted), np.nan)
    return Report(
        images=images,
        miou=miou,
        class_average=mean(recall),
        pixel_accuracy=pixel_accuracy(counts, counted),
        classes=tuple(
            ClassAccuracy(label_set.names[class_id], *(float(v[i]) for v in values))
            for i, class_id in enumerate(counted)
            for values in [(iou, iou_strict, recall, share)]
        ),
        groupings=tuple(
            _group_accuracy(counts, label_set, name, grouping)
            for name, grouping in label_set.groupings
        ),
        exchanged=tuple(
            (label_set.names[true], label_set.names[predicted])
            for true, predicted in exchanged_classes(counts, counted)
        ),
    )


def _ious(
    counts: NDArray[np.int64], counted: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64], MeanIou]:
    ignored = class_iou(counts, counted)
    strict = class_iou(counts, counted, void_as_false_positive=True)
    return ignored, strict, MeanIou(mean(ignored), mean(strict))


def _group_accuracy(
    counts: NDArray[np.int64], label_set: LabelSet, name: str, grouping: Grouping
) -> GroupAccuracy:
    grouped = group_counts(counts, label_set, grouping)
    iou, _, miou = _ious(grouped, tuple(range(len(grouping))))
    groups = tuple((group, float(iou[i])) for i, (group, _) in enumerate(grouping))
    return GroupAccuracy(name, miou, groups)


def _miou_dict(miou: MeanIou) -> dict[str, float | None]:
    return {
        'void_ignored': _percent(miou.void_ignored),
        'void_as_false_positive': _percent(miou.void_as_false_positive),
    }


def _percent(value: float) -> float | None:
    return None if math.isnan(value) else round(100 * value, 4)
