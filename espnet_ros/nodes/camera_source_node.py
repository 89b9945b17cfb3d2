"""The camera source node: a camera for machines without one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import sys
from typing import Any

from espnet_ros.config import CameraSourceSettings
from espnet_ros.exceptions import ConfigError, EspnetError
from espnet_ros.nodes.conversions import array_to_image, bytes_to_compressed
from espnet_ros.nodes.frame_feed import FrameFeed
from espnet_ros.nodes.log_bridge import LogBridge
from espnet_ros.nodes.parameters import declare_settings
from espnet_ros.nodes.process import run_node
from espnet_ros.nodes.qos import overridable, result_qos
from espnet_ros.nodes.topics import (
    check_camera_names,
    compressed_topic,
    input_topic,
    output_topic,
)
from espnet_ros.processing.codecs import encode_jpeg
from espnet_ros.sources import BrokenFrame, CameraModel, Frame, open_source
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.publisher import Publisher
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

NAME = 'camera_source'
DEFAULT_RATE_HZ = 10.0
_LAST_IMAGE_S = 1.0


@dataclass(frozen=True)
class _Shot:
    """The messages of one frame; their stamps are written when they are published."""

    messages: tuple[tuple[Publisher, Any], ...]


class CameraSourceNode(Node):  # type: ignore[misc]
    """
    Plays a video, images, a bag, a webcam or the synthetic street as a camera driver does.

    Frames are read and encoded in a thread, ahead of time; a timer stamps and publishes them.
    The publishers are reliable and keep one image, so that readers of either reliability match
    and a slow one never holds the others up.

    :param on_end: is called with the exit code when the source comes to its end
    :param arguments: for :class:`rclpy.node.Node`
    :raises ConfigError: a parameter is not allowed
    :raises InputError: the source cannot be opened
    """

    def __init__(self, on_end: Callable[[int], None] = lambda _: None, **arguments: Any) -> None:
        super().__init__(NAME, **arguments)
        self._on_end = on_end
        self._log_bridge = LogBridge(self.get_logger())
        self._log_bridge.attach()
        try:
            _take_number_of_webcam(self)
            self._settings = declare_settings(
                self, CameraSourceSettings, check=lambda s: check_camera_names([s.camera])
            )
            self._source = self._open()
        except EspnetError:
            self._log_bridge.detach()
            self.destroy_node()
            raise
        self._info = None if self._source.camera is None else camera_info(self._source.camera)
        self._outputs = self._create_outputs()
        self._broken: set[str] = set()
        self._published = 0
        self._feed = FrameFeed(self._source, self._prepare, self._warn_of_broken)
        rate_hz = self._settings.rate_hz or self._source.rate_hz or DEFAULT_RATE_HZ
        self.get_logger().info(
            f'playing {self._source.name} at {rate_hz:g} Hz as '
            f'{", ".join(p.topic_name for p in self._outputs.values())}'
        )
        # Timers keep to multiples of their period, whatever the callback takes.
        self._timer = self.create_timer(1 / rate_hz, self._publish)
        self._feed.start()

    def close(self) -> None:
        """End the thread and free the source; may be called more than once."""
        self._timer.cancel()
        self._feed.close()
        self._source.close()
        self._log_bridge.detach()

    def _open(self) -> Any:
        settings = self._settings
        height, width = settings.size
        source = open_source(
            settings.source,
            loop=settings.loop,
            rate_hz=settings.rate_hz or None,
            size=(height, width) if height else None,
            seed=settings.seed,
            bit_depth=settings.images.image_bit_depth,
        )
        if settings.publish_labels and source.label_set is None:
            source.close()
            raise ConfigError(
                f'publish_labels: {source.name} has no true labels; only synthetic has'
            )
        return source

    def _create_outputs(self) -> dict[str, Publisher]:
        settings = self._settings
        image_topic = input_topic(settings.camera, 'image_raw')
        topics: dict[str, tuple[type, str]] = {}
        if settings.transport in ('raw', 'both'):
            topics['raw'] = Image, image_topic
        if settings.transport in ('compressed', 'both'):
            topics['compressed'] = CompressedImage, compressed_topic(self, image_topic)
        if self._info is not None:
            topics['info'] = CameraInfo, input_topic(settings.camera, 'camera_info')
        if settings.publish_labels:
            topics['labels'] = Image, output_topic(settings.camera, 'labels')
        return {
            kind: self.create_publisher(
                message_type, topic, result_qos(), qos_overriding_options=overridable()
            )
            for kind, (message_type, topic) in topics.items()
        }

    def _prepare(self, frame: Frame) -> _Shot:
        """Make the messages that somebody wants; runs in the feed's thread."""
        makers: dict[str, Callable[[Header], Any]] = {
            'raw': lambda header: array_to_image(frame.image_bgr, 'bgr8', header),
            'compressed': lambda header: bytes_to_compressed(
                encode_jpeg(frame.image_bgr, self._settings.jpeg_quality),
                'bgr8; jpeg compressed bgr8',
                header,
            ),
            'info': self._info_message,
            'labels': lambda header: array_to_image(_truth(frame), 'mono8', header),
        }
        return _Shot(
            tuple(
                (publisher, makers[kind](Header(frame_id=self._settings.frame_id)))
                for kind, publisher in self._outputs.items()
                if publisher.get_subscription_count()
            )
        )

    def _info_message(self, header: Header) -> CameraInfo:
        model: CameraInfo = self._info
        return CameraInfo(
            header=header,
            height=model.height,
            width=model.width,
            distortion_model=model.distortion_model,
            d=model.d,
            k=model.k,
            r=model.r,
            p=model.p,
        )

    def _publish(self) -> None:
        shot = self._feed.take()
        if shot is None:
            if self._feed.has_ended:
                self._end()
            return
        stamp = self.get_clock().now().to_msg()
        for publisher, message in shot.messages:
            message.header.stamp = stamp
            publisher.publish(message)
        self._published += 1

    def _end(self) -> None:
        self._timer.cancel()
        for publisher in self._outputs.values():
            publisher.wait_for_all_acked(Duration(seconds=_LAST_IMAGE_S))
        error = self._feed.error
        if not error and not self._published:
            error = f'{self._source.name}: no frame can be read'
        if error:
            self.get_logger().error(error)
        else:
            self.get_logger().info(f'{self._source.name}: end after {self._published} frames')
        self._on_end(1 if error else 0)

    def _warn_of_broken(self, frame: BrokenFrame) -> None:
        if frame.name not in self._broken:
            self._broken.add(frame.name)
            self.get_logger().warning(f'left out: {frame.reason}')


def camera_info(camera: CameraModel) -> CameraInfo:
    """Return the calibration of a pinhole camera without distortion."""
    fx, fy, cx, cy = camera.fx, camera.fy, camera.cx, camera.cy
    return CameraInfo(
        height=camera.height,
        width=camera.width,
        distortion_model='plumb_bob',
        d=[0.0] * 5,
        k=[fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
    )


def _truth(frame: Frame) -> Any:
    if frame.labels is None:
        raise ConfigError(f'publish_labels: frame {frame.name} has no true labels')
    return frame.labels


def _take_number_of_webcam(node: Node) -> None:
    """Make a text of ``source:=0``, which the command line gives as a number."""
    overrides: dict[str, Parameter[Any]] = node._parameter_overrides
    given = overrides.get('source')
    if given is not None and given.type_ == Parameter.Type.INTEGER:
        overrides['source'] = Parameter('source', Parameter.Type.STRING, str(given.value))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node; return the exit code: 0 at the end of the source or when asked to end."""
    return run_node(CameraSourceNode, NAME, arguments)


if __name__ == '__main__':
    sys.exit(main())
