"""The topics of a camera, and the messages that a frame becomes on them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from espnet_ros.config import CameraSourceSettings
from espnet_ros.exceptions import ConfigError
from espnet_ros.nodes.ros.messages.camera_info import calibration_message
from espnet_ros.nodes.ros.messages.images import array_to_image, bytes_to_compressed
from espnet_ros.nodes.ros.qos import overridable, result_qos
from espnet_ros.nodes.ros.topics import compressed_topic, input_topic, output_topic
from espnet_ros.processing.codecs import encode_jpeg
from espnet_ros.sources import Frame, FrameCalibration, Source
import numpy as np
from numpy.typing import NDArray
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

IMAGE_OUTPUTS = frozenset({'raw', 'compressed', 'labels'})
"""The outputs that a frame is read for; ``info`` goes without."""

DEFAULT_FRAME_ID = 'camera_optical_frame'
"""Frame of images that bring none of their own."""

_JPEG = 'bgr8; jpeg compressed bgr8'


@dataclass
class Shot:
    """
    A frame and the messages made of it; their stamps are written when they are published.

    :param messages: by output; the camera_info may be None where it is not known
    """

    frame: Frame
    messages: dict[str, Any] = field(default_factory=dict)


class CameraOutputs:
    """
    Publishes the frames of a source as a camera driver does.

    The publishers are reliable and keep one image, so that readers of either reliability match
    and a slow one never holds the others up.

    :raises ConfigError: the source has no true labels, and they are to be published
    """

    def __init__(self, node: Node, settings: CameraSourceSettings, source: Source) -> None:
        if settings.publish_labels and source.label_set is None:
            raise ConfigError(
                f'publish_labels: {source.name} has no true labels; only synthetic has'
            )
        self._settings = settings
        self._calibration = source.calibration
        self._publishers = self._create_publishers(node)

    @property
    def topics(self) -> list[str]:
        """Return the names of the topics, resolved."""
        return [publisher.topic_name for publisher in self._publishers.values()]

    def wanted(self) -> tuple[str, ...]:
        """Return the outputs that somebody subscribes, camera_info first; from any thread."""
        return tuple(
            output
            for output, publisher in self._publishers.items()
            if publisher.get_subscription_count()
        )

    def complete(self, shot: Shot, outputs: Collection[str]) -> None:
        """
        Make the messages of some outputs, as far as they are not made; from any thread.

        :raises EspnetError: the image cannot be encoded
        """
        for output in outputs:
            if output not in shot.messages:
                shot.messages[output] = self._make(output, shot.frame)

    def publish(self, shot: Shot, outputs: Collection[str], stamp: Any) -> None:
        """Publish the messages of some outputs, all with one stamp."""
        self._calibration = shot.frame.calibration or self._calibration
        for output in outputs:
            message = shot.messages[output]
            if message is not None:
                self._send(output, message, stamp)

    def publish_info(self, stamp: Any) -> None:
        """Publish the calibration of the last image, or of the first one to come, on its own."""
        message = self._info(self._calibration, None)
        if message is not None:
            self._send('info', message, stamp)

    def wait_until_taken(self, limit_s: float) -> None:
        """Wait until every reliable reader has what was published."""
        for publisher in self._publishers.values():
            publisher.wait_for_all_acked(Duration(seconds=limit_s))

    def _create_publishers(self, node: Node) -> dict[str, Publisher]:
        settings = self._settings
        image_topic = input_topic(settings.camera, 'image_raw')
        topics: dict[str, tuple[type, str]] = {}
        # Who keeps the last camera_info has that of an image before the image.
        if self._calibration is not None:
            topics['info'] = CameraInfo, input_topic(settings.camera, 'camera_info')
        if settings.transport in ('raw', 'both'):
            topics['raw'] = Image, image_topic
        if settings.transport in ('compressed', 'both'):
            topics['compressed'] = CompressedImage, compressed_topic(node, image_topic)
        if settings.publish_labels:
            topics['labels'] = Image, output_topic(settings.camera, 'labels')
        return {
            output: node.create_publisher(
                message_type, topic, result_qos(), qos_overriding_options=overridable()
            )
            for output, (message_type, topic) in topics.items()
        }

    def _make(self, output: str, frame: Frame) -> Any:
        if output == 'info':
            return self._info(frame.calibration, frame.frame_id)
        header = self._header(frame.frame_id)
        if output == 'raw':
            return array_to_image(frame.image_bgr, 'bgr8', header)
        if output == 'labels':
            return array_to_image(_truth(frame), 'mono8', header)
        data = encode_jpeg(frame.image_bgr, self._settings.jpeg_quality)
        return bytes_to_compressed(data, _JPEG, header)

    def _info(
        self, calibration: FrameCalibration | None, image_frame_id: str | None
    ) -> CameraInfo | None:
        if calibration is None:
            return None
        return calibration_message(
            calibration, self._header(calibration.frame_id or image_frame_id)
        )

    def _header(self, recorded_frame_id: str | None) -> Header:
        return Header(frame_id=self._settings.frame_id or recorded_frame_id or DEFAULT_FRAME_ID)

    def _send(self, output: str, message: Any, stamp: Any) -> None:
        message.header.stamp = stamp
        self._publishers[output].publish(message)


def _truth(frame: Frame) -> NDArray[np.uint8]:
    if frame.labels is None:
        raise ConfigError(f'publish_labels: frame {frame.name} has no true labels')
    return frame.labels
