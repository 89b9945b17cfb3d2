"""The segmenter: images in, label maps out."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.labels import LabelSet
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class StageTimes:
    """
    Seconds that the stages of one batch took.

    :param prepare_s: crop and resize to the network's input
    :param inference_s: the runtime
    :param finish_s: mask at its size, groups, threshold
    """

    prepare_s: float
    inference_s: float
    finish_s: float


@dataclass(frozen=True)
class Segmentation:
    """
    What was seen in one image.

    The arrays belong to the caller.

    :param labels: uint8, (H, W), ids of ``label_set`` or the unlabelled id
    :param label_set: what the ids mean, groups applied
    :param confidence: uint8, (H, W), 0..255, or None where it was not asked for
    :param stage_times: what the batch that this image was part of took
    """

    labels: NDArray[np.uint8]
    label_set: LabelSet
    confidence: NDArray[np.uint8] | None
    stage_times: StageTimes
