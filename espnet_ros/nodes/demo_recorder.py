"""The demo's observer: shows the statistics as a live line and records the overlay."""

from __future__ import annotations

from pathlib import Path

from espnet_ros.labels import LabelSet
from espnet_ros.msg import InferenceStats
from espnet_ros.nodes.conversions import image_to_bgr
from espnet_ros.nodes.live_score import LiveScore
from espnet_ros.processing.codecs import write_image
from espnet_ros.processing.video_writer import VideoWriter
import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image

VIDEO_RATE_HZ = 25.0
CLASSES_SHOWN = 4


class DemoRecorder(Node):  # type: ignore[misc]
    """
    Records ``segmentation/overlay`` and reads ``segmentation/stats``.

    The video has a fixed rate: a frame is repeated until the next one's stamp, so that it
    plays as fast as it was seen.

    :param folder: where video and picture go
    :param label_set: what the class ids mean
    :param has_truth: whether the camera publishes true class ids of that label set, against
        which masks are scored
    """

    def __init__(self, folder: Path, label_set: LabelSet, *, has_truth: bool) -> None:
        super().__init__('demo_recorder')
        self.video_path = folder / 'overlay.mp4'
        self.picture_path = folder / 'overlay.png'
        self.stats: InferenceStats | None = None
        self.first_stamp_s: float | None = None
        self.last_stamp_s = 0.0
        self.score = LiveScore(label_set)
        self._label_set = label_set
        self._writer: VideoWriter | None = None
        self._written = 0
        self._overlay_bgr: NDArray[np.uint8] | None = None
        self.create_subscription(
            InferenceStats, 'segmentation/stats', self._take_stats, QoSProfile(depth=10)
        )
        self.create_subscription(
            Image, 'segmentation/overlay', self._take_overlay, QoSProfile(depth=10)
        )
        if has_truth:
            for topic, take in (
                ('camera_source/labels', self.score.take_truth),
                ('segmentation/mask', self.score.take_mask),
            ):
                self.create_subscription(Image, topic, take, QoSProfile(depth=10))

    @property
    def recorded_s(self) -> float:
        """Return the time between the stamps of the first and the last overlay, in seconds."""
        return 0.0 if self.first_stamp_s is None else self.last_stamp_s - self.first_stamp_s

    def line(self) -> str:
        """Return rate, latency, losses and the largest classes in one line."""
        if self.stats is None:
            return 'waiting for the first mask ...'
        stats = self.stats
        names = dict(enumerate(self._label_set.names))
        shares = sorted(zip(stats.class_fractions, stats.class_ids, strict=True), reverse=True)[
            :CLASSES_SHOWN
        ]
        classes = ', '.join(
            f'{names.get(class_id, "unlabelled")} {share:.0%}' for share, class_id in shares
        )
        score = '' if self.score.miou is None else f'mIoU {self.score.miou:.1%}   '
        return (
            f'{stats.output_rate_hz:5.1f} frames/s   latency {stats.latency_s * 1e3:4.0f} ms   '
            f'dropped {stats.frames_dropped}   {stats.runtime} {stats.precision}   '
            f'{score}{classes}'
        )

    def finish(self) -> None:
        """
        Close the video and write the last overlay as a picture.

        :raises OutputError: they cannot be written
        """
        if self._writer is not None and self._overlay_bgr is not None:
            self._writer.close()
            write_image(self.picture_path, self._overlay_bgr)

    def _take_stats(self, message: InferenceStats) -> None:
        self.stats = message

    def _take_overlay(self, message: Image) -> None:
        overlay_bgr = image_to_bgr(message)
        stamp_s = message.header.stamp.sec + message.header.stamp.nanosec * 1e-9
        if self._writer is None or self.first_stamp_s is None:
            height, width = overlay_bgr.shape[:2]
            self._writer = VideoWriter(self.video_path, VIDEO_RATE_HZ, (height, width))
            self.first_stamp_s = stamp_s
        self.last_stamp_s = stamp_s
        due = int(self.recorded_s * VIDEO_RATE_HZ) + 1
        for _ in range(self._written, due):
            self._writer.write(overlay_bgr)
        self._written = max(self._written, due)
        self._overlay_bgr = overlay_bgr
