"""The segmenter: images in, label maps out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import threading
from time import perf_counter

from espnet_ros.config import MaskSettings, RuntimeSettings
from espnet_ros.exceptions import ConfigError, InferenceError, InputError
from espnet_ros.labels import LabelSet, parse_grouping
from espnet_ros.model_file import open_model
from espnet_ros.processing.finishing import (
    apply_confidence_threshold,
    clip_roi,
    paste_into_roi,
    Rectangle,
    remap_ids,
    scale_rectangle,
)
from espnet_ros.runtimes.base import Inference, Runtime
from espnet_ros.runtimes.batching import infer_any_count
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.runtimes.feeding import ImageFeeder
import numpy as np
from numpy.typing import NDArray

OUTSIDE_CONFIDENCE = 0


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


@dataclass(frozen=True)
class _Plan:
    """What follows from the settings and the model, worked out once."""

    settings: MaskSettings
    label_set: LabelSet
    group_table: NDArray[np.uint8] | None


@dataclass(frozen=True)
class _Crop:
    """The part of an image, of (height, width), that the network sees."""

    image_size: tuple[int, int]
    part: Rectangle


_Maps = tuple[NDArray[np.uint8], NDArray[np.uint8] | None]
"""Labels, and the confidence where it was computed."""


def check_image(image_bgr: NDArray[np.uint8]) -> None:
    """
    Check that the segmenter takes an image.

    :raises InputError: it is not uint8 of shape (H, W, 3), or has no pixels
    """
    if image_bgr.dtype != np.uint8 or image_bgr.ndim != 3 or image_bgr.shape[2] != 3:
        raise InputError(
            'expected a BGR image of type uint8 and shape (height, width, 3), found '
            f'{image_bgr.dtype} of shape {image_bgr.shape}; convert gray, float or alpha '
            'images to BGR first'
        )
    if image_bgr.size == 0:
        raise InputError(f'expected an image with pixels, found one of shape {image_bgr.shape}')


@dataclass(frozen=True, eq=False)
class PreparedBatch:
    """Images that are ready for the network; made by :meth:`Segmenter.prepare`."""

    plan: _Plan
    crops: tuple[_Crop, ...]
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
    """What the network said of a batch; made by :meth:`Segmenter.infer`."""

    prepared: PreparedBatch
    inferences: tuple[Inference, ...]
    inference_s: float


class Segmenter:
    """
    Segments images of any size with one model.

    It takes images as cameras give them, resizes them to the network's input, runs the
    network on all of them as one batch (one for each size of image where the runtime resizes),
    and brings every mask to the size and the classes that the settings ask for.

    :meth:`segment` does all of that, from one thread at a time. Its three steps may be called
    by themselves, and from several threads where ``overlaps``: while the device infers one
    batch, the next is prepared and the one before is finished. One thread at a time infers.

    :param runtime: what computes the model; opened here where that was not done, and
        closed by :meth:`close`
    :param settings: what the masks hold and how large they are
    :param overlaps: whether the steps of several batches overlap. Each batch has memory of its
        own then, which the runtime copies
    :raises ConfigError: the settings do not fit the model's classes
    """

    def __init__(
        self, runtime: Runtime, settings: MaskSettings | None = None, *, overlaps: bool = False
    ) -> None:
        self._runtime = runtime
        self._plan = self._make_plan(settings or MaskSettings())
        runtime.open()
        self._input_size = runtime.model.info.input_size
        self._overlaps = overlaps
        self._lock = threading.Lock()
        self._idle = [ImageFeeder(runtime, shares_memory=not overlaps)]

    @classmethod
    def open(
        cls,
        model: str = 'auto',
        runtime: RuntimeSettings | None = None,
        mask: MaskSettings | None = None,
    ) -> Segmenter:
        """
        Open a model with a runtime of this machine; a context manager closes both.

        :param model: name of a shipped or fetched model, path of an ONNX file, or ``auto`` for
            the best one that is here
        :param runtime: how it is run; None for the fastest way of this machine
        :param mask: what the masks hold and how large they are
        :raises ModelError: there is no such model, or it cannot be used
        :raises RuntimeUnavailableError: no such runtime, device or precision is here
        :raises ConfigError: the settings do not fit the model
        """
        opened = open_runtime(open_model(model), runtime or RuntimeSettings())
        try:
            return cls(opened, mask)
        except Exception:
            opened.close()
            raise

    @property
    def runtime(self) -> Runtime:
        return self._runtime

    @property
    def settings(self) -> MaskSettings:
        return self._plan.settings

    @property
    def label_set(self) -> LabelSet:
        """Return what the ids of the next masks mean, groups applied."""
        return self._plan.label_set

    def reconfigure(self, settings: MaskSettings) -> None:
        """
        Change the settings from the next batch on.

        :raises ConfigError: they do not fit the model's classes; nothing has changed then
        """
        self._plan = self._make_plan(settings)

    def check(self, settings: MaskSettings) -> None:
        """
        Check settings as :meth:`reconfigure` does, and change nothing.

        :raises ConfigError: they do not fit the model's classes
        """
        self._make_plan(settings)

    def warm_up(self, batch_size: int = 1) -> None:
        """
        Run the network once on black images, so that the first real one is not late.

        A runtime whose engine is built for the first image waits for that one.

        :param batch_size: how many images the batches will have
        :raises InferenceError: the runtime failed
        """
        if self._runtime.waits_for_image:
            return
        height, width = self._runtime.input_spec.shape[1:3]
        size = (height or self._input_size[0], width or self._input_size[1])
        batch = self._idle[0].reserve(0, batch_size, size)
        batch[:] = 0
        wanted = self._needs_confidence(self._plan, requested=False)
        infer_any_count(self._runtime, batch, confidence=wanted)

    def segment(
        self, images_bgr: Sequence[NDArray[np.uint8]], *, confidence: bool = False
    ) -> list[Segmentation]:
        """
        Segment images as one batch.

        :param images_bgr: uint8, (H, W, 3) each, BGR, of any sizes; not changed
        :param confidence: whether to return the confidence of every pixel too
        :return: one result for each image, in order
        :raises ConfigError: the confidence is requested, and the runtime gives none
        :raises InputError: an image is not of that type or shape, or the region of interest
            lies outside it; nothing was computed then
        :raises InferenceError: the runtime failed
        """
        if not images_bgr:
            return []
        prepared = self.prepare(images_bgr, confidence=confidence)
        return self.finish(self.infer(prepared), confidence=confidence)

    def check_image(self, image_bgr: NDArray[np.uint8]) -> None:
        """
        Check that an image can be segmented.

        :raises InputError: it is not uint8 of shape (H, W, 3), or the region of interest lies
            outside it
        """
        self._find_crop(image_bgr, self._plan.settings.roi)

    def prepare(
        self, images_bgr: Sequence[NDArray[np.uint8]], *, confidence: bool = False
    ) -> PreparedBatch:
        """
        Crop and resize images, the first step of :meth:`segment`.

        :raises InputError: as there
        :raises InferenceError: the runtime is closed, and with it the memory of its batches
        """
        if not self._runtime.is_open:
            raise InferenceError('the segmenter is closed; open another one')
        started = perf_counter()
        plan = self._plan
        crops = tuple(self._find_crop(image, plan.settings.roi) for image in images_bgr)
        parts = [image[crop.part.slices] for image, crop in zip(images_bgr, crops, strict=True)]
        with self._lock:
            feeder = self._idle.pop() if self._idle else ImageFeeder(self._runtime)
        batches = tuple(
            (places, feeder.fill(index, [parts[place] for place in places]))
            for index, places in enumerate(feeder.group(parts))
        )
        wanted = self._needs_confidence(plan, requested=confidence)
        return PreparedBatch(plan, crops, feeder, batches, wanted, perf_counter() - started)

    def infer(self, prepared: PreparedBatch) -> InferredBatch:
        """
        Run the network, the second step of :meth:`segment`; one thread at a time.

        :raises ConfigError: as there
        :raises InferenceError: as there
        """
        started = perf_counter()
        try:
            # With a single batch its arrays need hold until they are finished only.
            keeps = self._overlaps or len(prepared.batches) > 1
            inferences = tuple(
                self._infer(batch, prepared.wants_confidence, keeps)
                for _, batch in prepared.batches
            )
        finally:
            with self._lock:
                if prepared.feeder.is_of(self._runtime):
                    self._idle.append(prepared.feeder)
        return InferredBatch(prepared, inferences, perf_counter() - started)

    def finish(self, inferred: InferredBatch, *, confidence: bool = False) -> list[Segmentation]:
        """
        Make the masks of a batch, the last step of :meth:`segment`.

        :param confidence: whether to return the confidence of every pixel too
        """
        started = perf_counter()
        prepared = inferred.prepared
        masks: dict[int, _Maps] = {}
        for (places, _), inference in zip(prepared.batches, inferred.inferences, strict=True):
            for index, place in enumerate(places):
                masks[place] = self._finish(inference, index, prepared.plan, prepared.crops[place])
        times = StageTimes(prepared.prepare_s, inferred.inference_s, perf_counter() - started)
        return [
            Segmentation(labels, prepared.plan.label_set, sure if confidence else None, times)
            for labels, sure in (masks[place] for place in range(len(prepared.crops)))
        ]

    def replace_runtime(self, runtime: Runtime) -> None:
        """
        Let another runtime of the same model take over, and close the old one.

        :param runtime: an opened one
        """
        with self._lock:
            old, self._runtime = self._runtime, runtime
            self._idle = [ImageFeeder(runtime, shares_memory=not self._overlaps)]
        old.close()

    def close(self) -> None:
        self._runtime.close()

    def __enter__(self) -> Segmenter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _make_plan(self, settings: MaskSettings) -> _Plan:
        label_set = self._runtime.model.info.label_set
        grouping = parse_grouping(settings.label_groups, label_set)
        unlabelled = settings.unlabelled_id
        table = None
        if grouping is not None:
            table = label_set.group_table(grouping, unlabelled)
            label_set = label_set.grouped(grouping)
        if unlabelled < len(label_set.classes) and unlabelled != label_set.void_id:
            raise ConfigError(
                f'unlabelled_id: expected an id without a class ({len(label_set.classes)} to 255) '
                f'or the void class, found {unlabelled}, which is '
                f'{label_set.names[unlabelled]!r}'
            )
        if settings.confidence_threshold > 0 and not self._runtime.has_confidence:
            raise ConfigError(
                f'confidence_threshold: expected 0, as the engine is to give no confidence, found '
                f'{settings.confidence_threshold:g}; set engine_confidence to true'
            )
        return _Plan(settings, label_set, table)

    def _infer(self, batch: NDArray[np.generic], wants_confidence: bool, keeps: bool) -> Inference:
        found = infer_any_count(self._runtime, batch, confidence=wants_confidence)
        if not keeps:
            return found
        confidence = None if found.confidence is None else found.confidence.copy()
        return Inference(found.labels.copy(), confidence)

    @staticmethod
    def _needs_confidence(plan: _Plan, *, requested: bool) -> bool:
        return requested or plan.settings.confidence_threshold > 0

    @staticmethod
    def _find_crop(image: NDArray[np.uint8], roi: tuple[int, ...]) -> _Crop:
        check_image(image)
        size = (image.shape[0], image.shape[1])
        return _Crop(size, clip_roi(roi, size))

    def _finish(self, inference: Inference, index: int, plan: _Plan, crop: _Crop) -> _Maps:
        """Return labels and confidence as the settings ask."""
        settings = plan.settings
        labels = inference.labels[index]
        confidence = None if inference.confidence is None else inference.confidence[index]
        if plan.group_table is not None:
            labels = remap_ids(labels, plan.group_table)
        if confidence is not None and settings.confidence_threshold > 0:
            labels = apply_confidence_threshold(
                labels, confidence, settings.confidence_threshold, settings.unlabelled_id
            )
        size = settings.fixed_mask_size() or (
            crop.image_size if settings.mask_size == 'image' else self._input_size
        )
        place = scale_rectangle(crop.part, crop.image_size, size)
        mask = paste_into_roi(labels, size, place, settings.unlabelled_id)
        if confidence is None:
            return mask, None
        return mask, paste_into_roi(confidence, size, place, OUTSIDE_CONFIDENCE)
