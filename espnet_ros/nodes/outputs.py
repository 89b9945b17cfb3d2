"""The topics that one camera's masks go out on, each computed only while somebody listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from espnet_ros.config import OverlaySettings
from espnet_ros.labels import LabelSet
from espnet_ros.msg import InferenceStats
from espnet_ros.nodes.camera_info import scale_camera_info
from espnet_ros.nodes.conversions import array_to_image, bytes_to_compressed
from espnet_ros.nodes.label_info import label_info_types, make_label_info
from espnet_ros.nodes.qos import latched_qos, overridable, result_qos
from espnet_ros.nodes.topics import compressed_topic, output_topic
from espnet_ros.processing.class_shares import class_shares
from espnet_ros.processing.codecs import encode_jpeg, encode_png
from espnet_ros.processing.overlay import blend_overlay, color_mask, draw_legend
from espnet_ros.segmenter import Segmentation
import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.publisher import Publisher
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header


@dataclass(frozen=True)
class SegmentedFrame:
    """
    An image and its mask.

    :param header: the image's
    :param image_size: (height, width)
    :param picture: returns the image in its own colour order, uint8, (H, W, 3), and its
        encoding, bgr8 or rgb8
    :param result: the mask
    :param camera_info: the newest that the camera published, or None
    """

    header: Header
    image_size: tuple[int, int]
    picture: Callable[[], tuple[NDArray[np.uint8], str]]
    result: Segmentation
    camera_info: CameraInfo | None


class CameraOutputs:
    """
    The publishers of one camera.

    :param node: what they belong to
    :param camera: camera name, empty for the only one
    """

    def __init__(self, node: Node, camera: str) -> None:
        self._node = node
        topic = partial(output_topic, camera)
        create = partial(node.create_publisher, qos_overriding_options=overridable())
        self.mask: Publisher = create(Image, topic('mask'), result_qos())
        self.confidence: Publisher = create(Image, topic('confidence'), result_qos())
        self.camera_info: Publisher = create(CameraInfo, topic('camera_info'), result_qos())
        self.color_mask: Publisher = create(Image, topic('color_mask'), result_qos())
        self.overlay: Publisher = create(Image, topic('overlay'), result_qos())
        self.mask_png: Publisher = create(
            CompressedImage, compressed_topic(node, topic('mask')), result_qos()
        )
        self.overlay_jpeg: Publisher = create(
            CompressedImage, compressed_topic(node, topic('overlay')), result_qos()
        )
        self.stats: Publisher = create(InferenceStats, topic('stats'), result_qos())
        self._all = [
            self.mask,
            self.confidence,
            self.camera_info,
            self.color_mask,
            self.overlay,
            self.mask_png,
            self.overlay_jpeg,
            self.stats,
        ]
        self._label_types = label_info_types()
        if self._label_types is not None:
            self.label_info = create(
                self._label_types.LabelInfo, topic('label_info'), latched_qos()
            )
            self._all.append(self.label_info)

    @property
    def wants_confidence(self) -> bool:
        """Return whether somebody listens to the confidence."""
        return _has_listeners(self.confidence)

    @property
    def wants_stats(self) -> bool:
        """Return whether somebody listens to the statistics."""
        return _has_listeners(self.stats)

    def publish_mask(self, frame: SegmentedFrame) -> None:
        """Publish what planners wait for: mask, confidence, and their geometry."""
        labels, header = frame.result.labels, frame.header
        if _has_listeners(self.mask):
            self.mask.publish(array_to_image(labels, 'mono8', header))
        if frame.result.confidence is not None and self.wants_confidence:
            self.confidence.publish(array_to_image(frame.result.confidence, 'mono8', header))

    def publish_geometry(self, frame: SegmentedFrame) -> None:
        """
        Publish the camera's geometry for the mask.

        :raises InputError: the camera's is not of its image
        """
        if frame.camera_info is not None and _has_listeners(self.camera_info):
            height, width = frame.result.labels.shape
            self.camera_info.publish(
                scale_camera_info(
                    frame.camera_info, frame.image_size, (height, width), frame.header
                )
            )

    def publish_pictures(self, frame: SegmentedFrame, settings: OverlaySettings) -> None:
        """Publish what people look at."""
        labels, header = frame.result.labels, frame.header
        if _has_listeners(self.mask_png):
            self.mask_png.publish(
                bytes_to_compressed(encode_png(labels), 'mono8; png compressed', header)
            )
        if _has_listeners(self.color_mask):
            painted = color_mask(labels, frame.result.label_set.palette_rgb())
            self.color_mask.publish(array_to_image(painted, 'rgb8', header))
        if _has_listeners(self.overlay) or _has_listeners(self.overlay_jpeg):
            overlay, encoding = draw_overlay(frame, settings)
            if _has_listeners(self.overlay):
                self.overlay.publish(array_to_image(overlay, encoding, header))
            if _has_listeners(self.overlay_jpeg):
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

    def publish_label_info(self, label_set: LabelSet, threshold: float) -> None:
        """Publish what the ids mean, where vision_msgs is installed."""
        if self._label_types is not None:
            header = Header(stamp=self._node.get_clock().now().to_msg())
            self.label_info.publish(
                make_label_info(self._label_types, label_set, threshold, header)
            )

    def destroy(self) -> None:
        """Take the topics away."""
        for publisher in self._all:
            self._node.destroy_publisher(publisher)
        self._all.clear()


def draw_overlay(
    frame: SegmentedFrame, settings: OverlaySettings
) -> tuple[NDArray[np.uint8], str]:
    """Return the image with the class colours over it, legend if wanted, and its encoding."""
    image, encoding = frame.picture()
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


def _has_listeners(publisher: Publisher) -> bool:
    return bool(publisher.get_subscription_count())
