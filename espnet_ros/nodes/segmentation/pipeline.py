"""What happens to a batch of frames: convert, segment, publish, and keep the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
import threading
import time

from espnet_ros.config import SegmentationNodeSettings
from espnet_ros.exceptions import DeviceLostError, EspnetError, InputError
from espnet_ros.monitoring.stage_clock import Stopwatch
from espnet_ros.nodes.ros.messages.images import convert_by_cv_bridge
from espnet_ros.nodes.ros.messages.stamps import NS_PER_S, seconds_since
from espnet_ros.nodes.segmentation.camera.camera import Camera, Frame, kind_of
from espnet_ros.nodes.segmentation.camera.outputs import SegmentedFrame
from espnet_ros.nodes.segmentation.health.power_monitor import PowerMonitor
from espnet_ros.nodes.segmentation.health.stats import make_stats
from espnet_ros.nodes.segmentation.meanings import Meanings
from espnet_ros.nodes.segmentation.pictures import PictureWorker
from espnet_ros.processing.contrast import check_bit_depth, check_contrast
from espnet_ros.processing.image_messages import color_view, image_to_bgr
from espnet_ros.segmentation import InferredBatch, PreparedBatch, Segmentation
from espnet_ros.segmenter import Segmenter
import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image


@dataclass(frozen=True)
class _Job:
    """A frame on its way through the pipeline."""

    camera: Camera
    frame: Frame
    image_bgr: NDArray[np.uint8]
    watch: Stopwatch


@dataclass(frozen=True)
class Prepared:
    """Frames that are ready for the network."""

    jobs: list[_Job]
    batch: PreparedBatch
    wants_confidence: bool


@dataclass(frozen=True)
class Inferred:
    """Frames that the network has seen."""

    prepared: Prepared
    batch: InferredBatch


class FramePipeline:
    """
    Turns batches of frames into masks on topics, in three steps.

    Several threads may be in :meth:`prepare`; :meth:`infer` and :meth:`publish` take one thread
    at a time each, and batches in the order in which they were taken.

    :param settings: returns the settings of this moment; a change is applied before the
        next batch
    :param power: counts the batches, and tells what a frame costs

    :ivar pictures: draws what people look at; None where nobody does
    :ivar show: takes each frame, with its camera and the unlabelled id, to be shown without
        topics; does not wait
    :ivar when_device_lost: is told why the device of the runtime cannot be used any more
    """

    def __init__(
        self,
        node: Node,
        segmenter: Segmenter,
        cameras: Mapping[str, Camera],
        settings: Callable[[], SegmentationNodeSettings],
        power: PowerMonitor,
    ) -> None:
        self._node = node
        self._segmenter = segmenter
        self._cameras = cameras
        self._settings = settings
        self._power = power
        self._lock = threading.Lock()
        self._meanings = Meanings(node, segmenter.runtime.model.info.name, cameras)
        self.pictures: PictureWorker | None = None
        self.show: Callable[[str, SegmentedFrame, int], None] = lambda *_: None
        self.when_device_lost: Callable[[str], None] = lambda _: None

    def prepare(self, batch: Mapping[str, Frame]) -> Prepared | None:
        """
        Convert and resize frames; those that cannot be used are counted, logged and left out.

        :return: None where none can be used
        """
        self.apply_settings()
        jobs = [job for name, frame in batch.items() if (job := self._convert(name, frame))]
        if not jobs:
            return None
        confidence = any(job.camera.outputs.wants_confidence for job in jobs)
        try:
            prepared = self._prepare(jobs, confidence)
        except InputError:
            # One camera's image does not fit; the others' masks go out all the same.
            jobs = [job for job in jobs if self._fits(job)]
            if not jobs:
                return None
            prepared = self._prepare(jobs, confidence)
        return Prepared(jobs, prepared, confidence)

    def give_way(self, batch: Mapping[str, Frame], newer: Mapping[str, Frame]) -> None:
        """Count the frames of a batch that newer ones take the place of."""
        for name in batch.keys() & newer.keys():
            self._cameras[name].record.gave_way()

    def infer(self, prepared: Prepared) -> Inferred | None:
        """Run the network; None where it failed, which is counted and logged."""
        try:
            return Inferred(prepared, self._segmenter.infer(prepared.batch))
        except EspnetError as error:
            for job in prepared.jobs:
                job.camera.record.failed(time.monotonic(), 'output', str(error))
            self._node.get_logger().error(str(error), throttle_duration_sec=5.0)
            if isinstance(error, DeviceLostError):
                self.when_device_lost(str(error))
            return None

    def publish(self, inferred: Inferred) -> None:
        """Make the masks and publish them, and have pictures drawn of them."""
        jobs, confidence = inferred.prepared.jobs, inferred.prepared.wants_confidence
        self._meanings.announce(
            inferred.batch.prepared, [(job.camera, job.frame.message.header) for job in jobs]
        )
        results = self._segmenter.finish(inferred.batch, confidence=confidence)
        done = [self._publish_mask(job, result) for job, result in zip(jobs, results, strict=True)]
        self._power.count_batch(len(done))
        for job, frame in done:
            self._publish_geometry(job, frame)
        unlabelled_id = inferred.batch.prepared.settings.unlabelled_id
        for job, frame in done:
            if self.pictures is not None:
                self.pictures.offer(job.camera.name, job.camera.outputs, frame)
            self.show(job.camera.name, frame, unlabelled_id)
            self._keep_record(job, frame, len(jobs))

    def apply_settings(self) -> None:
        """Bring the segmenter to the settings of this moment."""
        wanted = self._settings().mask
        with self._lock:
            if self._segmenter.settings != wanted:
                self._segmenter.reconfigure(wanted)

    def begin(self) -> None:
        """Tell what the ids will mean, for each camera."""
        self._meanings.begin(self._segmenter.label_set, self._segmenter.settings)

    def fail(self, batch: Mapping[str, Frame], reason: str) -> None:
        for name in batch:
            self._cameras[name].record.failed(time.monotonic(), 'output', reason)

    def _prepare(self, jobs: list[_Job], confidence: bool) -> PreparedBatch:
        return self._segmenter.prepare([job.image_bgr for job in jobs], confidence=confidence)

    def _fits(self, job: _Job) -> bool:
        try:
            self._segmenter.check_image(job.image_bgr)
        except InputError as error:
            self._fail_input(job.camera, error)
            return False
        return True

    def _convert(self, name: str, frame: Frame) -> _Job | None:
        camera, watch = self._cameras[name], Stopwatch()
        try:
            with watch.stage('convert'):
                settings = self._settings()
                bit_depth = settings.images.image_bit_depth
                image_bgr = image_to_bgr(frame.message, bit_depth, convert_by_cv_bridge)
                if settings.min_contrast:
                    check_bit_depth(image_bgr, kind_of(frame.message), bit_depth)
                    check_contrast(image_bgr, settings.min_contrast)
        except InputError as error:
            self._fail_input(camera, error)
            return None
        return _Job(camera, frame, image_bgr, watch)

    def _publish_mask(self, job: _Job, result: Segmentation) -> tuple[_Job, SegmentedFrame]:
        message, camera = job.frame.message, job.camera
        height, width = job.image_bgr.shape[:2]
        frame = SegmentedFrame(
            message.header,
            (height, width),
            partial(_picture, message, job.image_bgr),
            result,
        )
        with job.watch.stage('publish'):
            camera.outputs.publish_mask(frame)
        now_s = time.monotonic()
        job.watch.durations_s['latency'] = now_s - job.frame.received_s
        image_ns = job.frame.stamp_ns
        age_s = seconds_since(image_ns, self._node.get_clock().now().nanoseconds)
        if age_s is not None:
            job.watch.durations_s['age'] = age_s
        camera.record.published(now_s, image_ns / NS_PER_S if image_ns else None)
        return job, frame

    def _publish_geometry(self, job: _Job, frame: SegmentedFrame) -> None:
        camera = job.camera
        with job.watch.stage('publish'):
            try:
                info = camera.geometry.find(
                    frame.header,
                    frame.image_size,
                    self._settings().camera_info_max_lag_ms,
                    time.monotonic(),
                )
            except InputError as error:
                self._node.get_logger().warning(
                    f'{error}; the mask has no geometry', throttle_duration_sec=5.0
                )
                return
            if info is not None:
                camera.outputs.publish_geometry(frame, info)

    def _keep_record(self, job: _Job, frame: SegmentedFrame, batch_size: int) -> None:
        outputs = job.camera.outputs
        times = frame.result.stage_times
        now_s = time.monotonic()
        durations_s = {
            **job.watch.durations_s,
            'prepare': times.prepare_s,
            'inference': times.inference_s,
            'finish': times.finish_s,
        }
        has_age = self._has_age(job, now_s)
        job.camera.record.took(now_s, durations_s if has_age else {**durations_s, 'age': None})
        if outputs.wants_stats:
            power_w = self._power.mean_w()
            stats = make_stats(
                frame.header,
                job.camera.record.snapshot(now_s, percentiles=False),
                durations_s,
                batch_size,
                power_w=power_w,
                frame_energy_j=self._power.frame_energy_j(power_w),
            )
            stats.runtime = self._segmenter.runtime.name
            stats.precision = self._segmenter.runtime.precision
            outputs.publish_stats(stats, frame.result.labels)

    def _has_age(self, job: _Job, now_s: float) -> bool:
        """Return whether the time since the stamp is how old the image was."""
        durations_s = job.watch.durations_s
        if 'age' not in durations_s:
            return False
        # What passed since the image came; simulated time has a speed of its own.
        is_simulated = self._node.get_clock().ros_time_is_active
        passed_s = 0.0 if is_simulated else durations_s['latency']
        is_past = job.camera.record.compared(now_s, passed_s - durations_s['age'])
        return is_past and job.frame.is_stamped

    def _fail_input(self, camera: Camera, error: InputError) -> None:
        self._node.get_logger().warning(
            f'{camera.topic}: {error}; the image is left out', throttle_duration_sec=5.0
        )
        camera.record.failed(time.monotonic(), 'input', str(error))


def _picture(
    message: Image | CompressedImage, image_bgr: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], str]:
    return color_view(message, image_bgr) if isinstance(message, Image) else (image_bgr, 'bgr8')
