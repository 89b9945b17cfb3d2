"""The topics that one camera's masks go out on, each computed only while somebody listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from espnet_ros.config import OverlaySettings
from espnet_ros.msg import InferenceStats
from espnet_ros.nodes.ros.messages.camera_info import scale_camera_info
from espnet_ros.nodes.ros.messages.images import bytes_to_compressed
from espnet_ros.nodes.ros.qos import create_publisher, result_qos
from espnet_ros.nodes.ros.topics import compressed_topic, output_topic
from espnet_ros.nodes.segmentation.camera.label_announcer import LabelAnnouncer
from espnet_ros.processing.codecs import encode_jpeg, encode_png
from espnet_ros.processing.overlay import (
    blend_overlay,
    color_mask,
    draw_legend,
    reduce_image,
    reduce_labels,
)
from espnet_ros.processing.postprocess import class_shares
from espnet_ros.segmentation import Segmentation
import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

_COUNT_BYTES = 4


@dataclass(frozen=True)
class SegmentedFrame:
    """
    An image and its mask.

    :param image_size: (height, width)
    :param picture: returns the image in its own colour order, uint8, (H, W, 3), and its
        encoding, bgr8 or rgb8
    """

    header: Header
    image_size: tuple[int, int]
    picture: Callable[[], tuple[NDArray[np.uint8], str]]
    result: Segmentation


class ImageOutput:
    """A topic of images, which go out as bytes: rclpy would copy each message once more."""

    def __init__(self, create: Callable[..., Publisher], topic: str) -> None:
        self.publisher = create(Image, topic, result_qos())

    @property
    def has_listeners(self) -> bool:
        return has_listeners(self.publisher)

    def publish(self, values: NDArray[np.uint8], encoding: str, header: Header) -> None:
        """Publish an array; see :func:`serialize_image`."""
        self.publisher.publish(serialize_image(values, encoding, header))


class CameraOutputs:
    """
    The publishers of one camera.

    They are no lifecycle publishers, as nothing but the worker publishes on them, and it
    runs only while the node is active.

    :param camera: camera name, empty for the only one

    :ivar is_probed: tells whether somebody wants the confidence who needs no topic
    """

    def __init__(self, node: Node, camera: str, *, has_confidence: bool) -> None:
        self._node = node
        self._has_confidence = has_confidence
        self.is_probed: Callable[[], bool] = lambda: False
        self._publishers: list[Publisher] = []
        topic = partial(output_topic, camera)
        try:
            self._create_all(topic)
            self.labels = LabelAnnouncer(node, self._create, topic)
        except Exception:
            self._destroy_publishers()
            raise

    @property
    def wants_confidence(self) -> bool:
        if self.confidence is None:
            return False
        return self.confidence.has_listeners or self.is_probed()

    @property
    def wants_stats(self) -> bool:
        return has_listeners(self.stats)

    @property
    def wants_pictures(self) -> bool:
        """Return whether somebody listens to what people look at."""
        return (
            self.overlay.has_listeners
            or self.color_mask.has_listeners
            or has_listeners(self.overlay_jpeg)
            or has_listeners(self.mask_png)
        )

    def publish_mask(self, frame: SegmentedFrame) -> None:
        """Publish what planners wait for: mask and confidence."""
        labels, header = frame.result.labels, frame.header
        if self.mask.has_listeners:
            self.mask.publish(labels, 'mono8', header)
        confidence = frame.result.confidence
        output = self.confidence
        if confidence is not None and output is not None and output.has_listeners:
            output.publish(confidence, 'mono8', header)

    def publish_geometry(self, frame: SegmentedFrame, info: CameraInfo) -> None:
        if has_listeners(self.camera_info):
            height, width = frame.result.labels.shape
            self.camera_info.publish(
                scale_camera_info(info, frame.image_size, (height, width), frame.header)
            )

    def publish_pictures(self, frame: SegmentedFrame, settings: OverlaySettings) -> None:
        """Publish what people look at."""
        labels, header = frame.result.labels, frame.header
        if has_listeners(self.mask_png):
            self.mask_png.publish(
                bytes_to_compressed(encode_png(labels), 'mono8; png compressed', header)
            )
        if self.color_mask.has_listeners:
            small = reduce_labels(labels, settings.max_width)
            painted = color_mask(small, frame.result.label_set.palette_rgb())
            self.color_mask.publish(painted, 'rgb8', header)
        wants_overlay = self.overlay.has_listeners
        if wants_overlay or has_listeners(self.overlay_jpeg):
            overlay, encoding = draw_overlay(frame, settings)
            if wants_overlay:
                self.overlay.publish(overlay, encoding, header)
            if has_listeners(self.overlay_jpeg):
                overlay_bgr = overlay if encoding == 'bgr8' else overlay[..., ::-1]
                words = f'{encoding}; jpeg compressed bgr8'
                data = encode_jpeg(np.ascontiguousarray(overlay_bgr))
                self.overlay_jpeg.publish(bytes_to_compressed(data, words, header))

    def publish_stats(self, stats: InferenceStats, labels: NDArray[np.uint8]) -> None:
        """Publish what the frame cost, and what is in its mask."""
        ids, shares = class_shares(labels)
        stats.class_ids = ids.tolist()
        stats.class_fractions = shares.tolist()
        self.stats.publish(stats)

    def destroy(self) -> None:
        self.labels.destroy()
        self._destroy_publishers()

    def _destroy_publishers(self) -> None:
        for publisher in self._publishers:
            self._node.destroy_publisher(publisher)
        self._publishers.clear()

    def _create_all(self, topic: Callable[[str], str]) -> None:
        self.mask = ImageOutput(self._create, topic('mask'))
        self.confidence: ImageOutput | None = None
        if self._has_confidence:
            self.confidence = ImageOutput(self._create, topic('confidence'))
        self.color_mask = ImageOutput(self._create, topic('color_mask'))
        self.overlay = ImageOutput(self._create, topic('overlay'))
        self.camera_info = self._create(CameraInfo, topic('camera_info'), result_qos())
        self.mask_png, self.overlay_jpeg = (
            self._create(CompressedImage, compressed_topic(self._node, topic(name)), result_qos())
            for name in ('mask', 'overlay')
        )
        self.stats = self._create(InferenceStats, topic('stats'), result_qos())

    def _create(self, message_type: type, topic: str, qos: QoSProfile) -> Publisher:
        publisher = create_publisher(self._node, message_type, topic, qos)
        self._publishers.append(publisher)
        return publisher


def serialize_image(values: NDArray[np.uint8], encoding: str, header: Header) -> bytes:
    """
    Return an image message as it goes over the wire, which publishers take as it is.

    Its pixels come last in the message, after their number, so that they are appended to a
    message without pixels.

    :param values: uint8, (height, width) or (height, width, channels)
    :param header: is used as it is
    """
    height, width = values.shape[:2]
    step = width * (values.shape[2] if values.ndim == 3 else 1)
    empty = serialize_message(
        Image(header=header, encoding=encoding, height=height, width=width, step=step)
    )
    is_little_endian = empty[1] & 1  # of the representation identifier of CDR
    count = values.size.to_bytes(_COUNT_BYTES, 'little' if is_little_endian else 'big')
    return b''.join((empty[:-_COUNT_BYTES], count, np.ascontiguousarray(values).data))


def draw_overlay(
    frame: SegmentedFrame, settings: OverlaySettings
) -> tuple[NDArray[np.uint8], str]:
    """Return the image with the class colours over it, legend if wanted, and its encoding."""
    image, encoding = frame.picture()
    image = reduce_image(image, settings.max_width)
    label_set = frame.result.label_set
    palette = label_set.palette_rgb()
    if encoding == 'bgr8':
        palette = palette[:, ::-1]
    overlay = blend_overlay(image, frame.result.labels, palette, settings.alpha)
    if settings.legend:
        ids, _ = class_shares(frame.result.labels)
        seen = [i for i in ids.tolist() if i < len(label_set.classes)]
        draw_legend(overlay, [(label_set.names[i], palette[i].tolist()) for i in seen])
    return overlay, encoding


def has_listeners(publisher: Publisher) -> bool:
    return bool(publisher.get_subscription_count())
