"""Masks held against the truth of the same moment, while both are published."""

from __future__ import annotations

from collections import OrderedDict

from espnet_ros.evaluation.confusion import ConfusionMatrix
from espnet_ros.evaluation.report import make_report
from espnet_ros.labels import LabelSet
from espnet_ros.nodes.ros.conversions import mask_values
from espnet_ros.nodes.ros.stamps import stamp_ns
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image

WAITING_LIMIT = 64
"""Images whose counterpart has not come; most of the truth is of frames that were dropped."""

_Waiting = OrderedDict[int, NDArray[np.uint8]]


class LiveScore:
    """
    The mean IoU of masks and true labels with equal stamps, over all that came so far.

    :param label_set: what the class ids of both mean
    :ivar frames: how many masks were scored
    """

    def __init__(self, label_set: LabelSet) -> None:
        self.frames = 0
        self._label_set = label_set
        self._matrix = ConfusionMatrix(len(label_set.classes))
        self._truths: _Waiting = OrderedDict()
        self._masks: _Waiting = OrderedDict()

    @property
    def miou(self) -> float | None:
        """Return the mean IoU, void ignored, 0 to 1; None before the first pair."""
        if not self.frames:
            return None
        return make_report(self._matrix.counts, self._label_set, self.frames).miou.void_ignored

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
            self._matrix.add(truth, mask)
            self.frames += 1
