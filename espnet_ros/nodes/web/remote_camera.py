"""One camera of a segmentation node elsewhere: its topics, brought to the live view."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
import math
import time

from espnet_ros.exceptions import EspnetError
from espnet_ros.labels import LabelSet
from espnet_ros.monitoring.health import Status
from espnet_ros.monitoring.stage_clock import StageClock
from espnet_ros.msg import InferenceStats
from espnet_ros.msg import LabelSet as LabelSetMessage
from espnet_ros.nodes.ros.messages.images import convert_by_cv_bridge
from espnet_ros.nodes.ros.messages.label_set import read_label_set_message
from espnet_ros.nodes.ros.messages.stamps import NS_PER_S, stamp_ns
from espnet_ros.nodes.ros.qos import latched_qos, sensor_qos
from espnet_ros.nodes.web.found_cameras import FoundCamera
from espnet_ros.processing.codecs import decode_unchanged
from espnet_ros.processing.image_messages import image_to_bgr
from espnet_ros.web.live_view import LiveView
from espnet_ros.web.records import LiveFrame, Sample
import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage, Image

_WAITING = 30
"""Images whose mask has not come; those that were dropped never have one."""
_RECENT_S = 2.0


class RemoteCamera:
    """
    Follows the topics of one camera; pictures only while somebody looks.

    :param node: subscribes, in its spinning thread
    """

    def __init__(self, node: Node, view: LiveView, found: FoundCamera) -> None:
        self.found = found
        self._node = node
        self._view = view
        self._label_set: LabelSet | None = None
        self._unlabelled_id = 255
        self.model = ''
        self._images: OrderedDict[int, Image | CompressedImage] = OrderedDict()
        self._latency = StageClock()
        self._stats: InferenceStats | None = None
        self._stats_s = -math.inf
        self._pictures: list[Subscription] = []
        self._always = [
            node.create_subscription(
                LabelSetMessage, f'{found.base}/label_set', self._take_labels, latched_qos()
            ),
            node.create_subscription(
                InferenceStats, f'{found.base}/stats', self._take_stats, sensor_qos(5)
            ),
        ]

    def follow(self) -> None:
        """Subscribe pictures while somebody looks, and leave them else."""
        is_wanted = self._view.is_watched(self.found.name)
        if is_wanted and not self._pictures:
            topics = [(CompressedImage, f'{self.found.base}/mask/compressed', self._take_mask, 1)]
            if self.found.image_topic:
                kind = CompressedImage if self.found.is_compressed else Image
                topics.append((kind, self.found.image_topic, self._take_image, 2))
            self._pictures = [
                self._node.create_subscription(kind, topic, take, sensor_qos(depth))
                for kind, topic, take, depth in topics
            ]
        elif not is_wanted and self._pictures:
            for subscription in self._pictures:
                self._node.destroy_subscription(subscription)
            self._pictures.clear()
            self._images.clear()

    def put_sample(self, device: Status | None) -> None:
        """Show the numbers of this moment; those of the machine are in its status."""
        values = {} if device is None else device.values
        temperature_c = _number(values, 'temperature_max_c')
        sample = Sample(temperature_c=temperature_c, throttling=_throttling(values))
        now_s, stats = time.monotonic(), self._stats
        if stats is not None and now_s - self._stats_s < _RECENT_S:
            sample = replace(
                sample,
                masks_hz=_known(stats.output_rate_hz),
                images_hz=_known(stats.input_rate_hz),
                latency_p50_ms=self._percentile_ms(50, now_s),
                latency_p99_ms=self._percentile_ms(99, now_s),
                dropped=int(stats.frames_dropped),
                power_w=_known(stats.power_w),
                frame_energy_j=_known(stats.energy_j),
            )
        self._view.put_sample(self.found.name, sample)

    def _percentile_ms(self, percent: float, now_s: float) -> float | None:
        found = self._latency.percentile_s('latency', percent, now_s)
        return None if found is None else 1e3 * found

    def _take_labels(self, message: LabelSetMessage) -> None:
        try:
            self._label_set = read_label_set_message(message)
        except EspnetError as error:
            self._complain(error)
        self._unlabelled_id = int(message.unlabelled_id)
        self.model = str(message.model)

    def _take_stats(self, message: InferenceStats) -> None:
        self._stats, self._stats_s = message, time.monotonic()
        self._latency.add('latency', _known(message.latency_s), self._stats_s)

    def _take_image(self, message: Image | CompressedImage) -> None:
        self._images[stamp_ns(message.header.stamp)] = message
        while len(self._images) > _WAITING:
            self._images.popitem(last=False)

    def _take_mask(self, message: CompressedImage) -> None:
        if self._label_set is None:
            return
        image_ns = stamp_ns(message.header.stamp)
        try:
            labels = np.asarray(decode_unchanged(bytes(message.data)), np.uint8)
        except EspnetError as error:
            self._complain(error)
            return
        if labels.ndim != 2:
            return
        image = self._images.get(image_ns)

        def picture() -> tuple[NDArray[np.uint8], str]:
            try:
                if image is not None:
                    return image_to_bgr(image, convert_other=convert_by_cv_bridge), 'bgr8'
            except EspnetError:
                pass
            return np.full((*labels.shape, 3), 96, np.uint8), 'bgr8'

        stamp_s = image_ns / NS_PER_S if image_ns else None
        frame = LiveFrame(picture, labels, self._label_set, self._unlabelled_id, stamp_s)
        self._view.offer(self.found.name, frame)

    def _complain(self, error: EspnetError) -> None:
        self._node.get_logger().warning(f'{self.found.base}: {error}', throttle_duration_sec=5.0)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _number(values: Mapping[str, str], key: str) -> float | None:
    try:
        return float(values[key])
    except (KeyError, ValueError):  # unavailable
        return None


def _throttling(values: Mapping[str, str]) -> str | None:
    words = values.get('throttling', 'unavailable')
    return {'unavailable': None, 'none': ''}.get(words, words)
