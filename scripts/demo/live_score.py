"""Masks held against the truth of the same moment, while both are published."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from espnet_ros.evaluation.common_groups import common_groups, CommonGroups, shared_groupings
from espnet_ros.evaluation.metrics import ConfusionMatrix
from espnet_ros.evaluation.report import make_report
from espnet_ros.labels import LabelSet
from espnet_ros.nodes.ros.messages.images import mask_values
from espnet_ros.nodes.ros.messages.stamps import stamp_ns
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image

WAITING_LIMIT = 64
"""Images whose counterpart has not come; most of the truth is of frames that were dropped."""

_Waiting = OrderedDict[int, NDArray[np.uint8]]


SCALES = ('camvid', 'categories')
"""Groupings by which masks of another label set than the truth's are scored, the finer first."""


def can_score(label_set: LabelSet, truth: LabelSet) -> bool:
    """Return whether masks of a label set can be held against a truth of another one."""
    return label_set.names == truth.names or bool(
        {*SCALES} & {*shared_groupings(truth, label_set)}
    )


@dataclass(frozen=True, eq=False)
class _Scale:
    """By what masks are scored: classes, and which of them the ids of both are."""

    name: str
    label_set: LabelSet
    of_truth: NDArray[np.uint8]
    of_mask: NDArray[np.uint8]
    matrix: ConfusionMatrix


class LiveScore:
    """
    The mean IoU of masks and true labels with equal stamps, over all that came so far.

    :param label_set: what the class ids of the masks mean
    :param truth: what those of the truth mean; None for the same
    """

    def __init__(self, label_set: LabelSet, truth: LabelSet | None = None) -> None:
        self.frames = 0
        self._scales = _make_scales(label_set, truth or label_set)
        self._truths: _Waiting = OrderedDict()
        self._masks: _Waiting = OrderedDict()

    @property
    def miou(self) -> float | None:
        """Return the first of :attr:`mious`; None before the first pair."""
        return next(iter(self.mious.values()), None)

    @property
    def mious(self) -> dict[str, float]:
        """Return the mean IoU, void ignored, 0 to 1, by classes or groupings; none at first."""
        if not self.frames:
            return {}
        return {
            scale.name: make_report(
                scale.matrix.counts, scale.label_set, self.frames
            ).miou.void_ignored
            for scale in self._scales
        }

    def take_truth(self, message: Image) -> None:
        """Take true class ids, mono8."""
        self._pair(message, self._truths, self._masks)

    def take_mask(self, message: Image) -> None:
        """Take predicted class ids, mono8, of the size of the truth."""
        self._pair(message, self._masks, self._truths)

    def _pair(self, message: Image, mine: _Waiting, others: _Waiting) -> None:
        stamp = stamp_ns(message.header.stamp)
        mine[stamp] = mask_values(message)
        if len(mine) > WAITING_LIMIT:
            mine.popitem(last=False)
        if stamp in others:
            truth, mask = self._truths.pop(stamp), self._masks.pop(stamp)
            for scale in self._scales:
                scale.matrix.add(scale.of_truth[truth], scale.of_mask[mask])
            self.frames += 1


def _make_scales(label_set: LabelSet, truth: LabelSet) -> tuple[_Scale, ...]:
    if label_set.names == truth.names:
        same = np.arange(256, dtype=np.uint8)
        matrix = ConfusionMatrix(len(label_set.classes))
        return (_Scale('classes', label_set, same, same, matrix),)
    shared = shared_groupings(truth, label_set)
    return tuple(
        _scale(name, common_groups(truth, label_set, name)) for name in SCALES if name in shared
    )


def _scale(name: str, groups: CommonGroups) -> _Scale:
    matrix = ConfusionMatrix(len(groups.label_set.classes))
    return _Scale(name, groups.label_set, groups.of_truth, groups.of_model, matrix)
