"""What comes in from one camera: masks, what their ids mean, their geometry and confidence."""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import Any

from espnet_ros.config import FreeSpaceSettings
from espnet_ros.exceptions import InputError
from espnet_ros.monitoring.camera_record import CameraRecord
from espnet_ros.msg import LabelSet as LabelSetMessage
from espnet_ros.nodes.free_space.synchronization.meaning import HeardSet, MeaningSource
from espnet_ros.nodes.free_space.synchronization.stamp_book import StampBook
from espnet_ros.nodes.free_space.synchronization.stamp_queue import MOST_WAITING
from espnet_ros.nodes.ros.messages.label_info import label_info_types
from espnet_ros.nodes.ros.messages.label_set import read_label_set_message
from espnet_ros.nodes.ros.messages.stamps import stamp_ns
from espnet_ros.nodes.ros.qos import latched_qos, overridable, sensor_qos
from espnet_ros.nodes.ros.topics import input_topic
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, Image

_DEPTH = 8


class CameraInput:
    """
    Subscribes one camera, and keeps what masks need until they come.

    :param name: camera name, empty for the only one
    :raises ConfigError: the label set that the settings name cannot be used
    """

    def __init__(self, node: Node, name: str, settings: Callable[[], FreeSpaceSettings]) -> None:
        self.name = name
        self.record = CameraRecord(name, time.monotonic())
        self.infos: StampBook[CameraInfo] = StampBook(2 * MOST_WAITING)
        self.confidences: StampBook[Image] = StampBook(MOST_WAITING)
        self.meaning = MeaningSource(
            self._resolve(node, 'label_set'),
            lambda: node.count_publishers(self.topic('label_set')),
            settings,
        )
        self._node = node
        self._settings = settings
        self._subscriptions: list[Subscription] = []

    def topic(self, kind: str) -> str:
        """Return the resolved topic of mask, label_set, confidence or camera_info."""
        return self._resolve(self._node, kind)

    def subscribe(self, take: Callable[[Image], None], wake: Callable[[], None]) -> None:
        """
        Take masks from now on.

        :param take: is called with every mask
        :param wake: is called after everything else that came
        """
        self.record.restart(time.monotonic())
        self._wake = wake
        # What masks mean is subscribed before they are, so that it is there first.
        sets_qos = latched_qos()
        sets_qos.depth = _DEPTH
        self._subscribe(LabelSetMessage, 'label_set', self._take_label_set, sets_qos)
        types = label_info_types()
        if types is not None:
            self._subscribe(types.LabelInfo, 'label_info', self._take_names, latched_qos())
        self._subscribe_sensor(CameraInfo, 'camera_info', self._take_info)
        if self._settings().use_confidence:
            self._subscribe_sensor(Image, 'confidence', self._take_confidence)
        self._subscribe_sensor(Image, 'mask', take)

    def unsubscribe(self) -> None:
        """Take no more, and forget what came."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()
        self.infos.clear()
        self.confidences.clear()
        self.meaning.forget()

    def _resolve(self, node: Node, kind: str) -> str:
        return str(node.resolve_topic_name(input_topic(self.name, kind)))

    def _subscribe(
        self, kind: type, topic: str, callback: Callable[..., None], qos: QoSProfile, **more: Any
    ) -> None:
        self._subscriptions.append(
            self._node.create_subscription(
                kind, input_topic(self.name, topic), callback, qos, **more
            )
        )

    def _subscribe_sensor(self, kind: type, topic: str, callback: Callable[..., None]) -> None:
        # All are read before any is processed, so a depth makes no mask old, and loses none of
        # those that come together with the calibration of another one.
        options = overridable()
        self._subscribe(kind, topic, callback, sensor_qos(_DEPTH), qos_overriding_options=options)

    def _take_label_set(self, message: LabelSetMessage) -> None:
        try:
            heard = HeardSet(
                read_label_set_message(message), message.model, int(message.unlabelled_id)
            )
        except InputError as error:
            heard = HeardSet(None, fault=str(error))
        self.meaning.hear(stamp_ns(message.header.stamp), heard)
        self._wake()

    def _take_names(self, message: Any) -> None:
        names = {int(c.class_id): str(c.class_name) for c in message.class_map}
        self.meaning.hear_names(stamp_ns(message.header.stamp), names)
        self._wake()

    def _take_info(self, message: CameraInfo) -> None:
        self.infos.add(stamp_ns(message.header.stamp), message)
        self._wake()

    def _take_confidence(self, message: Image) -> None:
        self.confidences.add(stamp_ns(message.header.stamp), message)
        self._wake()
