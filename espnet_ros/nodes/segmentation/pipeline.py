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
from espnet_ros.nodes.segmentation.label_announcer import MaskMeaning, wait_until_acknowledged
from espnet_ros.nodes.segmentation.outputs import SegmentedFrame
from espnet_ros.nodes.segmentation.power_monitor import PowerMonitor
from espnet_ros.nodes.segmentation.stats import make_stats
from espnet_ros.nodes.stamps import NS_PER_S, seconds_since
from espnet_ros.processing.image_messages import color_view, compressed_to_bgr
from espnet_ros.segmenter import Segmentation, Segmenter
from espnet_ros.telemetry.stage_clock import Stopwatch
import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image

ACKNOWLEDGE_LIMIT_S = 0.5


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
        self._meaning = self._find_meaning()
        self.when_device_lost: Callable[[str], None] = lambda _: None

    def process(self, batch: Mapping[str, Frame]) -> None:
        """Segment and publish a batch; what fails is counted, logged and left out."""
        self.apply_settings()
        jobs = [job for name, frame in batch.items() if (job := self._convert(name, frame))]
        segmented = self._segment(jobs)
        self._announce([job for job, _ in segmented])
        done = [self._publish_mask(job, result) for job, result in segmented]
        if done:
            self._power.count_batch(len(done))
        # No camera's mask or geometry waits for another one's pictures.
        for job, frame in done:
            self._publish_geometry(job, frame)
        for job, frame in done:
            self._publish_rest(job, frame, len(jobs))

    def apply_settings(self) -> None:
        """Bring the segmenter to the settings of this moment."""
        segmenter, wanted = self._segmenter, self._settings().mask
        if segmenter.settings == wanted:
            return
        before = segmenter.label_set, segmenter.settings.confidence_threshold
        segmenter.reconfigure(wanted)
        self._meaning = self._find_meaning()
        if (segmenter.label_set, wanted.confidence_threshold) != before:
            self._publish_label_info()

    def begin(self) -> None:
        """Tell what the ids will mean, for each camera."""
        for camera in self._cameras.values():
            camera.outputs.labels.begin(self._meaning)
        self._publish_label_info()

    def fail(self, batch: Mapping[str, Frame], reason: str) -> None:
        """Count a batch as failed."""
        for name in batch:
            self._cameras[name].record.failed(time.monotonic(), 'output', reason)

    def _find_meaning(self) -> MaskMeaning:
        segmenter = self._segmenter
        return MaskMeaning(
            segmenter.label_set,
            segmenter.runtime.model.info.name,
            segmenter.settings.unlabelled_id,
        )

    def _publish_label_info(self) -> None:
        threshold = self._segmenter.settings.confidence_threshold
        for camera in self._cameras.values():
            camera.outputs.labels.publish_info(self._segmenter.label_set, threshold)

    def _announce(self, jobs: list[_Job]) -> None:
        """Tell what the ids of the next masks mean; nobody reads these as those before."""
        news = [
            job.camera.outputs.labels
            for job in jobs
            if job.camera.outputs.labels.announce(self._meaning, job.frame.message.header)
        ]
        if not wait_until_acknowledged(news, ACKNOWLEDGE_LIMIT_S):
            self._node.get_logger().warning(
                f'the ids of the masks changed, and a reader of label_set did not take the news '
                f'within {ACKNOWLEDGE_LIMIT_S:g} s; it may take these masks for others'
            )

    def _convert(self, name: str, frame: Frame) -> _Job | None:
        camera, watch = self._cameras[name], Stopwatch()
        try:
            with watch.stage('convert'):
                convert = image_to_bgr if isinstance(frame.message, Image) else compressed_to_bgr
                image_bgr = convert(frame.message)
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

    def _publish_rest(self, job: _Job, frame: SegmentedFrame, batch_size: int) -> None:
        outputs = job.camera.outputs
        with job.watch.stage('publish'):
            outputs.publish_pictures(frame, self._settings().overlay)
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
        camera.record.failed(time.monotonic(), 'input', str(error))
        self._node.get_logger().warning(
            f'{camera.topic}: {error}; the image is left out', throttle_duration_sec=5.0
        )


def _picture(
    message: Image | CompressedImage, image_bgr: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], str]:
    return color_view(message, image_bgr) if isinstance(message, Image) else (image_bgr, 'bgr8')
