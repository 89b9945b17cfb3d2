"""What the segmenter returns, and what a batch is on its way there."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.config import MaskSettings
from espnet_ros.labels import LabelSet
from espnet_ros.processing.postprocess import MaskPlan
from espnet_ros.processing.preprocess import Crop, ImageFeeder
from espnet_ros.runtimes.base import Inference, Runtime
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class StageTimes:
    """
    Seconds that the stages of one batch took.

    :param prepare_s: crop, and resize to the network's input where the runtime does not
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
    :param confidence: uint8, (H, W), 0..255, or None where it was not requested; 0 outside
        the region of interest
    :param stage_times: what the batch that this image was part of took
    """

    labels: NDArray[np.uint8]
    label_set: LabelSet
    confidence: NDArray[np.uint8] | None
    stage_times: StageTimes


@dataclass(frozen=True, eq=False)
class PreparedBatch:
    """Images that are ready for the network."""

    plan: MaskPlan
    crops: tuple[Crop, ...]
    runtime: Runtime
    feeder: ImageFeeder
    batches: tuple[tuple[list[int], NDArray[np.generic]], ...]
    wants_confidence: bool
    prepare_s: float

    @property
    def label_set(self) -> LabelSet:
        """Return what the ids of its masks will mean, groups applied."""
        return self.plan.label_set

    @property
    def settings(self) -> MaskSettings:
        return self.plan.settings


@dataclass(frozen=True, eq=False)
class InferredBatch:
    """What the network said of a batch."""

    prepared: PreparedBatch
    inferences: tuple[Inference, ...]
    inference_s: float
