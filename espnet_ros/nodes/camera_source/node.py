"""The camera source node: a camera for machines without one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
import sys
from typing import Any

from espnet_ros.config import CameraSourceSettings
from espnet_ros.exceptions import EspnetError, InputError
from espnet_ros.nodes.camera_source.frame_feed import FrameFeed
from espnet_ros.nodes.camera_source.mount import publish_mount
from espnet_ros.nodes.camera_source.outputs import (
    CameraOutputs,
    DEFAULT_FRAME_ID,
    IMAGE_OUTPUTS,
    Shot,
)
from espnet_ros.nodes.ros.log_bridge import LogBridge
from espnet_ros.nodes.ros.parameters import declare_settings
from espnet_ros.nodes.ros.process.runner import run_node
from espnet_ros.nodes.ros.steady_timer import create_steady_timer
from espnet_ros.nodes.ros.topics import check_camera_names
from espnet_ros.sources import BrokenFrame, Frame, open_source, Source
from rclpy.node import Node

NAME = 'camera_source'
DEFAULT_RATE_HZ = 10.0
_WATCH_PERIOD_S = 0.1
_LAST_IMAGE_S = 1.0


class CameraSourceNode(Node):  # type: ignore[misc]
    """
    Plays a video, images, a bag, a webcam or the synthetic street as a camera driver does.

    Frames are read and encoded in a thread, ahead of time; a timer stamps and publishes them.
    While nobody subscribes to an image, none is read or rendered beyond the first: files stay
    where they are.

    :param on_end: is called with the exit code when the source comes to its end
    :raises ConfigError: a parameter is not allowed
    :raises InputError: the source cannot be opened
    """

    def __init__(self, on_end: Callable[[int], None] = lambda _: None, **arguments: Any) -> None:
        super().__init__(NAME, **arguments)
        self._on_end = on_end
        self._log_bridge = LogBridge(self.get_logger())
        self._log_bridge.attach()
        try:
            settings = declare_settings(
                self,
                CameraSourceSettings,
                check=lambda s: check_camera_names([s.camera]),
                convert=_take_number_of_webcam,
            )
            self._source = _open(settings)
            try:
                self._outputs = CameraOutputs(self, settings, self._source)
                self._publish_mount(settings)
            except EspnetError:
                self._source.close()
                raise
        except EspnetError:
            self._log_bridge.detach()
            self.destroy_node()
            raise
        self._broken: set[str] = set()
        self._published = 0
        self._feed = FrameFeed(self._source, self._prepare, self._warn_of_broken)
        rate_hz = settings.rate_hz or self._source.rate_hz or DEFAULT_RATE_HZ
        self.get_logger().info(
            f'playing {self._source.name} at {rate_hz:g} Hz as {", ".join(self._outputs.topics)}'
        )
        # Timers keep to multiples of their period, whatever the callback takes.
        self._player = self.create_timer(1 / rate_hz, self._publish)
        self._player.cancel()
        self._watcher = create_steady_timer(self, _WATCH_PERIOD_S, self._watch)
        self._feed.start()

    def close(self) -> None:
        """End the thread and free the source; may be called more than once."""
        self._watcher.cancel()
        self._player.cancel()
        self._feed.close()
        self._source.close()
        self._log_bridge.detach()

    def _publish_mount(self, settings: CameraSourceSettings) -> None:
        if settings.publish_transform:
            frame_id = settings.frame_id or DEFAULT_FRAME_ID
            publish_mount(self, self._source.camera, settings.base_frame, frame_id)

    def _prepare(self, frame: Frame) -> Shot:
        """Make the messages that somebody wants; runs in the feed's thread."""
        shot = Shot(frame)
        self._outputs.complete(shot, self._outputs.wanted())
        return shot

    def _watch(self) -> None:
        """Play while somebody subscribes to anything, and rest while nobody does."""
        wanted = self._outputs.wanted()
        self._feed.want(not IMAGE_OUTPUTS.isdisjoint(wanted))
        if self._feed.has_ended:
            self._end(self._feed.error)
        elif not wanted:
            self._player.cancel()
        elif self._player.is_canceled():
            self._player.reset()

    def _publish(self) -> None:
        wanted = self._outputs.wanted()
        if IMAGE_OUTPUTS.isdisjoint(wanted):
            if wanted:
                self._outputs.publish_info(self.get_clock().now().to_msg())
            return
        shot = self._feed.take()
        if shot is None:
            return
        try:
            # Who came after the frame was prepared gets it too.
            self._outputs.complete(shot, wanted)
        except EspnetError as error:
            self._end(str(error))
            return
        self._outputs.publish(shot, wanted, self.get_clock().now().to_msg())
        self._published += 1

    def _end(self, error: str) -> None:
        self._watcher.cancel()
        self._player.cancel()
        self._outputs.wait_until_taken(_LAST_IMAGE_S)
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


def _open(settings: CameraSourceSettings) -> Source:
    height, width = settings.size
    try:
        return open_source(
            settings.source,
            loop=settings.loop,
            rate_hz=settings.rate_hz or None,
            size=(height, width) if height else None,
            seed=settings.seed,
            camera_info_topic=settings.camera_info_topic,
            bit_depth=settings.images.image_bit_depth,
        )
    except OSError as error:
        raise InputError(f'{settings.source}: cannot be opened ({error.strerror})') from error


def _take_number_of_webcam(given: Mapping[str, Any]) -> dict[str, Any]:
    """Make a text of ``source:=0``, which the command line gives as a number."""
    source = given.get('source')
    is_number = isinstance(source, int) and not isinstance(source, bool)
    return {**given, 'source': str(source)} if is_number else dict(given)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node; return the exit code: 0 at the end of the source or after a signal to end."""
    return run_node(CameraSourceNode, NAME, arguments)


if __name__ == '__main__':
    sys.exit(main())
