"""One camera of the node: its subscriptions, its outputs and its record."""

from __future__ import annotations

from dataclasses import dataclass
import time

from espnet_ros.monitoring.camera_record import CameraRecord
from espnet_ros.monitoring.frame_slot import FrameSlots
from espnet_ros.nodes.ros.messages.stamps import stamp_ns
from espnet_ros.nodes.ros.qos import overridable, sensor_qos
from espnet_ros.nodes.ros.topics import image_topic, input_topic
from espnet_ros.nodes.segmentation.camera.geometry import CameraGeometry
from espnet_ros.nodes.segmentation.camera.outputs import CameraOutputs
from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

_SAMPLES = 256
_INFO_DEPTH = 4
"""Of camera_info, which comes before its image; more would be a queue where the node is slow."""


@dataclass(frozen=True)
class Frame:
    """
    An image message that came.

    :param received_s: when it came, by time.monotonic
    :param stamp_ns: its stamp, 0 where it was never set
    :param is_stamped: whether the stamp is its own: neither 0 nor that of the image before
    """

    message: Image | CompressedImage
    received_s: float
    stamp_ns: int
    is_stamped: bool


class Camera:
    """
    Takes the images of one camera and holds the publishers of its masks.

    :param name: camera name, empty for the only one
    :param transport: raw or compressed
    """

    def __init__(
        self,
        node: Node,
        name: str,
        transport: str,
        *,
        has_confidence: bool = True,
    ) -> None:
        self.name = name
        self.outputs = CameraOutputs(node, name, has_confidence=has_confidence)
        self.record = CameraRecord(name, time.monotonic())
        self.is_enabled = True
        self._node = node
        self._message_type = CompressedImage if transport == 'compressed' else Image
        self._image_name = image_topic(node, name, transport)
        self._info_name = input_topic(name, 'camera_info')
        self._subscriptions: list[Subscription] = []
        self.geometry = CameraGeometry(self.info_topic)

    @property
    def topic(self) -> str:
        return str(self._node.resolve_topic_name(self._image_name))

    @property
    def info_topic(self) -> str:
        return str(self._node.resolve_topic_name(self._info_name))

    def subscribe(self, slots: FrameSlots[Frame]) -> None:
        """
        Take images from now on.

        :param slots: where the newest one is left
        """
        self.record = CameraRecord(self.name, time.monotonic())
        self.geometry.clear()

        def take_image(message: Image | CompressedImage) -> None:
            now_s = time.monotonic()
            if self.is_enabled:
                image_ns = stamp_ns(message.header.stamp)
                self.geometry.expect(image_ns)
                is_stamped = self.record.stamped(now_s, image_ns)
                replaced = slots.put(self.name, Frame(message, now_s, image_ns, is_stamped))
                self.record.received(
                    now_s, _describe(message), replaced=replaced, sample=_sample(message)
                )

        def take_info(message: CameraInfo) -> None:
            self.geometry.take(message, time.monotonic())

        for message_type, topic, callback, depth in (
            (CameraInfo, self._info_name, take_info, _INFO_DEPTH),
            (self._message_type, self._image_name, take_image, 1),
        ):
            subscription = self._node.create_subscription(
                message_type,
                topic,
                callback,
                sensor_qos(depth),
                qos_overriding_options=overridable(),
            )
            self._subscriptions.append(subscription)

    def unsubscribe(self) -> None:
        """Take no more images."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()

    def destroy(self) -> None:
        self.unsubscribe()
        self.outputs.destroy()


def _sample(message: Image | CompressedImage) -> bytes:
    """Return some bytes all over an image: noise makes those of a camera differ every time."""
    return bytes(message.data[:: len(message.data) // _SAMPLES | 1])


def _describe(message: Image | CompressedImage) -> str:
    kind = kind_of(message)
    return f'{kind} {message.width}x{message.height}' if isinstance(message, Image) else kind


def kind_of(message: Image | CompressedImage) -> str:
    """Return the encoding of an image, or the format of a compressed one."""
    return str(message.encoding if isinstance(message, Image) else message.format)
