"""What happens to a batch of frames: convert, segment, publish, and keep the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
import time

from espnet_ros.config import SegmentationNodeSettings
from espnet_ros.exceptions import DeviceLostError, EspnetError, InputError
from espnet_ros.nodes.conversions import image_to_bgr
from espnet_ros.nodes.segmentation.camera import Camera, Frame
from espnet_ros.nodes.segmentation.outputs import SegmentedFrame
from espnet_ros.nodes.segmentation.power_monitor import PowerMonitor
from espnet_ros.nodes.segmentation.stats import make_stats, seconds_since, stamp_s
from espnet_ros.processing.image_messages import color_view
from espnet_ros.segmenter import Segmentation, Segmenter
from espnet_ros.telemetry.stage_clock import Stopwatch
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


class FramePipeline:
    """
    Turns batches of frames into masks on topics.

    :param node: whose clock and logger it uses
    :param segmenter: what computes the masks
    :param cameras: the cameras by name
    :param settings: returns the settings of this moment; a change is applied before the
        next batch
    :param power: counts the batches, and tells what a frame costs

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
        self.when_device_lost: Callable[[str], None] = lambda _: None

    def process(self, batch: Mapping[str, Frame]) -> None:
        """Segment and publish a batch; what fails is counted, logged and left out."""
        self.apply_settings()
        jobs = [job for name, frame in batch.items() if (job := self._convert(name, frame))]
        done = [self._publish_mask(job, result) for job, result in self._segment(jobs)]
        if done:
            self._power.count_batch(len(done))
        # No camera's mask waits for another one's pictures.
        for job, frame in done:
            self._publish_rest(job, frame, len(jobs))

    def apply_settings(self) -> None:
        """Bring the segmenter to the settings of this moment."""
        segmenter, wanted = self._segmenter, self._settings().mask
        if segmenter.settings == wanted:
            return
        before = segmenter.label_set, segmenter.settings.confidence_threshold
        segmenter.reconfigure(wanted)
        if (segmenter.label_set, wanted.confidence_threshold) != before:
            self.publish_label_info()

    def publish_label_info(self) -> None:
        """Tell what the ids mean, for each camera."""
        threshold = self._segmenter.settings.confidence_threshold
        for camera in self._cameras.values():
            camera.outputs.publish_label_info(self._segmenter.label_set, threshold)

    def fail(self, batch: Mapping[str, Frame], reason: str) -> None:
        """Count a batch as failed."""
        for name in batch:
            self._cameras[name].record.failed(time.monotonic(), 'output', reason)

    def _convert(self, name: str, frame: Frame) -> _Job | None:
        camera, watch = self._cameras[name], Stopwatch()
        try:
            with watch.stage('convert'):
                image_bgr = image_to_bgr(frame.message, self._settings().images.image_bit_depth)
        except InputError as error:
            self._fail_input(camera, error)
            return None
        return _Job(camera, frame, image_bgr, watch)

    def _segment(self, jobs: list[_Job]) -> list[tuple[_Job, Segmentation]]:
        if not jobs:
            return []
        confidence = any(job.camera.outputs.wants_confidence for job in jobs)
        try:
            results = self._segmenter.segment(
                [job.image_bgr for job in jobs], confidence=confidence
            )
        except InputError as error:
            if len(jobs) == 1:
                self._fail_input(jobs[0].camera, error)
                return []
            # One camera's image does not fit; the others' masks go out all the same.
            return [pair for job in jobs for pair in self._segment([job])]
        except EspnetError as error:
            for job in jobs:
                job.camera.record.failed(time.monotonic(), 'output', str(error))
            self._node.get_logger().error(str(error), throttle_duration_sec=5.0)
            if isinstance(error, DeviceLostError):
                self.when_device_lost(str(error))
            return []
        return list(zip(jobs, results, strict=True))

    def _publish_mask(self, job: _Job, result: Segmentation) -> tuple[_Job, SegmentedFrame]:
        message, camera = job.frame.message, job.camera
        height, width = job.image_bgr.shape[:2]
        frame = SegmentedFrame(
            message.header,
            (height, width),
            partial(_picture, message, job.image_bgr),
            result,
            camera.newest_info,
        )
        with job.watch.stage('publish'):
            camera.outputs.publish_mask(frame)
        now_s = time.monotonic()
        job.watch.durations_s['latency'] = now_s - job.frame.received_s
        age_s = seconds_since(message.header.stamp, self._node.get_clock().now().nanoseconds)
        if age_s is not None:
            job.watch.durations_s['age'] = age_s
        camera.record.published(now_s, stamp_s(message.header.stamp))
        return job, frame

    def _publish_rest(self, job: _Job, frame: SegmentedFrame, batch_size: int) -> None:
        outputs = job.camera.outputs
        with job.watch.stage('publish'):
            try:
                outputs.publish_geometry(frame)
            except InputError as error:
                self._node.get_logger().warning(
                    f'{job.camera.info_topic}: {error}', throttle_duration_sec=5.0
                )
            outputs.publish_pictures(frame, self._settings().overlay)
        times = frame.result.stage_times
        now_s = time.monotonic()
        durations_s = {
            **job.watch.durations_s,
            'prepare': times.prepare_s,
            'inference': times.inference_s,
            'finish': times.finish_s,
        }
        job.camera.record.took(now_s, durations_s)
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

    def _fail_input(self, camera: Camera, error: InputError) -> None:
        camera.record.failed(time.monotonic(), 'input', str(error))
        self._node.get_logger().warning(
            f'{camera.topic}: {error}; the image is left out', throttle_duration_sec=5.0
        )


def _picture(
    message: Image | CompressedImage, image_bgr: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], str]:
    return color_view(message, image_bgr) if isinstance(message, Image) else (image_bgr, 'bgr8')
