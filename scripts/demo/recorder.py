"""The demo's observer: shows statistics as a live line, records the overlay and the map."""

from __future__ import annotations

import math
from pathlib import Path

from espnet_ros.labels import LabelSet
from espnet_ros.msg import InferenceStats
from espnet_ros.nodes.ros.messages.stamps import NS_PER_S, stamp_ns
from espnet_ros.nodes.ros.qos import latched_qos
from espnet_ros.processing.codecs import write_image
from espnet_ros.processing.image_messages import image_to_bgr
from espnet_ros.processing.video_writer import VideoWriter
from nav_msgs.msg import OccupancyGrid
import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image, LaserScan

from .live_score import LiveScore
from .view import draw_moment, measure_free_ahead_m, Moment, Moments

VIDEO_RATE_HZ = 25.0
CLASSES_SHOWN = 4
CURRENT_S = 1.0
"""Ranges that are so much older than the newest mask tell nothing of now."""


class DemoRecorder(Node):  # type: ignore[misc]
    """
    Records ``segmentation/overlay``, and the map and ranges of ``free_space`` beside it.

    The video has a fixed rate: a frame is repeated until the next one's stamp, so that it
    plays as fast as it was seen.

    :param truth: what the true class ids mean that the camera publishes, against which masks are
        scored; None where it publishes none
    """

    def __init__(
        self, folder: Path, label_set: LabelSet, *, truth: LabelSet | None, has_metres: bool
    ) -> None:
        super().__init__('demo_recorder')
        self.video_path = folder / 'overlay.mp4'
        self.picture_path = folder / 'overlay.png'
        self.stats: InferenceStats | None = None
        self.first_stamp_s: float | None = None
        self.last_stamp_s = 0.0
        self.score = LiveScore(label_set, truth)
        self._label_set = label_set
        self._has_metres = has_metres
        self._moments = Moments()
        self._scan: LaserScan | None = None
        self._writer: VideoWriter | None = None
        self._written = 0
        self._overlay_bgr: NDArray[np.uint8] | None = None
        self.create_subscription(
            InferenceStats, 'segmentation/stats', self._take_stats, QoSProfile(depth=10)
        )
        self.create_subscription(
            Image, 'segmentation/overlay', self._take_overlay, QoSProfile(depth=10)
        )
        if truth is not None:
            for topic, take in (
                ('camera_source/labels', self.score.take_truth),
                ('segmentation/mask', self.score.take_mask),
            ):
                self.create_subscription(Image, topic, take, QoSProfile(depth=10))

        if has_metres:
            self.create_subscription(
                OccupancyGrid, 'free_space/costmap', self._moments.take_costmap, latched_qos()
            )
            self.create_subscription(
                LaserScan, 'free_space/scan', self._take_scan, QoSProfile(depth=10)
            )

    @property
    def is_complete(self) -> bool:
        """Return whether everything that is recorded has come at least once."""
        return self._overlay_bgr is not None and not (self._has_metres and self.moment is None)

    @property
    def moment(self) -> Moment | None:
        """Return the newest image of which overlay, map and ranges have come, or None."""
        return self._moments.newest

    @property
    def free_ahead_m(self) -> float | None:
        """Return how far the road ahead is free now, metres; None where it is not known."""
        scan, stats = self._scan, self.stats
        if scan is None or stats is None:
            return None
        behind_ns = stamp_ns(stats.header.stamp) - stamp_ns(scan.header.stamp)
        return None if behind_ns > CURRENT_S * NS_PER_S else measure_free_ahead_m(scan)

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
        # There is no rate before the second mask.
        rate = f'{stats.output_rate_hz:5.1f}' if math.isfinite(stats.output_rate_hz) else '    -'
        score = '' if self.score.miou is None else f'mIoU {self.score.miou:.1%}   '
        return (
            f'{rate} frames/s   latency {stats.latency_s * 1e3:4.0f} ms   '
            f'dropped {stats.frames_dropped}   {stats.runtime} {stats.precision}   '
            f'{self._words_of_metres()}{score}{classes}'
        )

    def _words_of_metres(self) -> str:
        if not self._has_metres:
            return ''
        free_m = self.free_ahead_m
        return f'free ahead {"unknown" if free_m is None else f"{free_m:4.1f} m"}   '

    def finish(self) -> None:
        """
        Close the video and write the last overlay, or the last with a map beside it.

        :raises OutputError: they cannot be written
        """
        if self._writer is not None and self._overlay_bgr is not None:
            self._writer.close()
            moment = self.moment
            picture_bgr = self._overlay_bgr if moment is None else draw_moment(moment)
            write_image(self.picture_path, picture_bgr)

    def _take_scan(self, message: LaserScan) -> None:
        self._scan = message
        self._moments.take_scan(message)

    def _take_stats(self, message: InferenceStats) -> None:
        self.stats = message

    def _take_overlay(self, message: Image) -> None:
        overlay_bgr = image_to_bgr(message)
        time_ns = stamp_ns(message.header.stamp)
        stamp_s = time_ns / NS_PER_S
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
        if self._has_metres:
            self._moments.take_overlay(time_ns, overlay_bgr)
