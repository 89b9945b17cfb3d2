"""What comes in from one camera: masks, their confidence, and the calibration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import time
from typing import Any

from espnet_ros.nodes.camera_record import CameraRecord
from espnet_ros.nodes.label_info import label_info_types
from espnet_ros.nodes.qos import latched_qos, overridable, sensor_qos
from espnet_ros.nodes.topics import input_topic
from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, Image

_WAITING = 8


@dataclass(frozen=True)
class MaskFrame:
    """
    A mask that came, with what belongs to it.

    :param camera: camera name
    :param names: class names by id, as the masks' publisher tells them, or None
    :param received_s: when it was complete, by time.monotonic
    """

    camera: str
    mask: Image
    confidence: Image | None
    info: CameraInfo | None
    names: Mapping[int, str] | None
    received_s: float


class MaskInput:
    """
    Subscribes one camera, and brings masks and confidences of one stamp together.

    :param node: the node
    :param name: camera name, empty for the only one
    :param use_confidence: whether masks wait for their confidence
    :param take: is called with every complete frame
    """

    def __init__(
        self, node: Node, name: str, use_confidence: bool, take: Callable[[MaskFrame], None]
    ) -> None:
        self.name = name
        self.record = CameraRecord(name, time.monotonic())
        self.unpaired = 0
        self._node = node
        self._use_confidence = use_confidence
        self._take = take
        self._info: CameraInfo | None = None
        self._names: Mapping[int, str] | None = None
        self._masks: dict[tuple[int, int], Image] = {}
        self._confidences: dict[tuple[int, int], Image] = {}
        self._subscriptions: list[Subscription] = []

    def topic(self, kind: str) -> str:
        """Return the resolved topic of mask, confidence or camera_info."""
        return str(self._node.resolve_topic_name(input_topic(self.name, kind)))

    def subscribe(self) -> None:
        """Take masks from now on."""
        self.record.restart(time.monotonic())
        self._subscribe(CameraInfo, 'camera_info', self._take_info, 1)
        types = label_info_types()
        if types is not None:
            self._subscriptions.append(
                self._node.create_subscription(
                    types.LabelInfo,
                    input_topic(self.name, 'label_info'),
                    self._take_names,
                    latched_qos(),
                )
            )
        if self._use_confidence:
            self._subscribe(Image, 'mask', self._take_mask, _WAITING)
            self._subscribe(Image, 'confidence', self._take_confidence, _WAITING)
        else:
            self._subscribe(Image, 'mask', self._take_mask, 1)

    def unsubscribe(self) -> None:
        """Take no more, and forget what waits."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()
        self._masks.clear()
        self._confidences.clear()
        self._info = self._names = None

    def _subscribe(
        self, kind: type, topic: str, callback: Callable[..., None], depth: int
    ) -> None:
        qos = sensor_qos()
        qos.depth = depth
        self._subscriptions.append(
            self._node.create_subscription(
                kind,
                input_topic(self.name, topic),
                callback,
                qos,
                qos_overriding_options=overridable(),
            )
        )

    def _take_info(self, message: CameraInfo) -> None:
        self._info = message

    def _take_names(self, message: Any) -> None:
        self._names = {int(c.class_id): str(c.class_name) for c in message.class_map}

    def _take_mask(self, message: Image) -> None:
        text = f'{message.encoding} {message.width}x{message.height}'
        self.record.received(time.monotonic(), text, replaced=False)
        if not self._use_confidence:
            self._complete(message, None)
            return
        key = _key(message)
        if key in self._confidences:
            self._complete(message, self._confidences.pop(key))
        else:
            self._masks[key] = message
            self._limit()

    def _take_confidence(self, message: Image) -> None:
        key = _key(message)
        if key in self._masks:
            self._complete(self._masks.pop(key), message)
        else:
            self._confidences[key] = message
            self._limit()

    def _complete(self, mask: Image, confidence: Image | None) -> None:
        self._take(
            MaskFrame(self.name, mask, confidence, self._info, self._names, time.monotonic())
        )

    def _limit(self) -> None:
        """Give up the oldest of those that wait for their other half."""
        while len(self._masks) > _WAITING:
            self._masks.pop(next(iter(self._masks)))
            self.unpaired += 1
            self.record.failed(
                time.monotonic(),
                'mask',
                f'no confidence on {self.topic("confidence")} with the stamp of the mask; '
                'publish it, or set use_confidence: false',
            )
        while len(self._confidences) > _WAITING:
            self._confidences.pop(next(iter(self._confidences)))


def _key(message: Image) -> tuple[int, int]:
    stamp = message.header.stamp
    return stamp.sec, stamp.nanosec
