"""The segmenter: images in, label maps out."""

from __future__ import annotations

from collections.abc import Sequence
import threading
from time import perf_counter

from espnet_ros.config import MaskSettings, RuntimeSettings
from espnet_ros.exceptions import InferenceError
from espnet_ros.labels import LabelSet
from espnet_ros.model_file import open_model
from espnet_ros.processing.postprocess import make_mask, Maps, MaskPlan, plan_masks
from espnet_ros.processing.preprocess import find_crop, ImageFeeder
from espnet_ros.runtimes.base import Inference, Runtime
from espnet_ros.runtimes.batching import infer_in_fixed_batches
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmentation import InferredBatch, PreparedBatch, Segmentation, StageTimes
import numpy as np
from numpy.typing import NDArray

__all__ = ['Segmentation', 'Segmenter']


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
        self._idle = [self._make_feeder(shares_memory=not overlaps)]

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
        self._run(batch, confidence=wanted)

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
        find_crop(image_bgr, self._plan.settings.roi)

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
        crops = tuple(find_crop(image, plan.settings.roi) for image in images_bgr)
        parts = [image[crop.part.slices] for image, crop in zip(images_bgr, crops, strict=True)]
        with self._lock:
            runtime = self._runtime
            feeder = self._idle.pop() if self._idle else self._make_feeder()
        batches = tuple(
            (places, feeder.fill(index, [parts[place] for place in places]))
            for index, places in enumerate(feeder.group(parts))
        )
        wanted = self._needs_confidence(plan, requested=confidence)
        return PreparedBatch(
            plan, crops, runtime, feeder, batches, wanted, perf_counter() - started
        )

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
                if prepared.runtime is self._runtime:
                    self._idle.append(prepared.feeder)
        return InferredBatch(prepared, inferences, perf_counter() - started)

    def finish(self, inferred: InferredBatch, *, confidence: bool = False) -> list[Segmentation]:
        """
        Make the masks of a batch, the last step of :meth:`segment`.

        :param confidence: whether to return the confidence of every pixel too
        """
        started = perf_counter()
        prepared = inferred.prepared
        masks: dict[int, Maps] = {}
        for (places, _), inference in zip(prepared.batches, inferred.inferences, strict=True):
            for index, place in enumerate(places):
                confidences = inference.confidence
                masks[place] = make_mask(
                    prepared.plan,
                    inference.labels[index],
                    None if confidences is None else confidences[index],
                    prepared.crops[place],
                )
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
            self._idle = [self._make_feeder(shares_memory=not self._overlaps)]
        old.close()

    def close(self) -> None:
        self._runtime.close()

    def __enter__(self) -> Segmenter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _make_plan(self, settings: MaskSettings) -> MaskPlan:
        info = self._runtime.model.info
        return plan_masks(
            settings,
            info.label_set,
            info.input_size,
            has_confidence=self._runtime.has_confidence,
        )

    def _make_feeder(self, *, shares_memory: bool = False) -> ImageFeeder:
        runtime = self._runtime
        return ImageFeeder(
            runtime.model.info.input_size,
            runtime.input_spec.dtype,
            runtime.takes,
            runtime.allocate_batch if shares_memory else None,
        )

    def _infer(self, batch: NDArray[np.generic], wants_confidence: bool, keeps: bool) -> Inference:
        found = self._run(batch, confidence=wants_confidence)
        if not keeps:
            return found
        confidence = None if found.confidence is None else found.confidence.copy()
        return Inference(found.labels.copy(), confidence)

    def _run(self, batch: NDArray[np.generic], *, confidence: bool) -> Inference:
        fixed = self._runtime.input_spec.shape[0]
        if fixed in (None, len(batch)):
            return self._runtime.infer(batch, confidence=confidence)
        return infer_in_fixed_batches(self._runtime, batch, fixed, confidence=confidence)

    @staticmethod
    def _needs_confidence(plan: MaskPlan, *, requested: bool) -> bool:
        return requested or plan.settings.confidence_threshold > 0
