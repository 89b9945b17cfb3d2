"""
The free space node: label masks and the camera's geometry in, what planners take out.

A lifecycle node, which configures and activates by itself by default. Whatever is missing or
makes no sense stops its output and is told on /diagnostics; nothing is ever guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
import sys
import time
import traceback
from typing import Any

from espnet_ros.config import FreeSpaceSettings
from espnet_ros.exceptions import ConfigError
from espnet_ros.nodes.diagnostics import DiagnosticsPublisher
from espnet_ros.nodes.free_space.input import MaskFrame, MaskInput
from espnet_ros.nodes.free_space.outputs import FreeSpaceOutputs
from espnet_ros.nodes.free_space.pipeline import (
    FreeSpacePipeline,
    make_rules,
    read_label_set,
    seconds,
)
from espnet_ros.nodes.free_space.poses import open_poses, PoseSource
from espnet_ros.nodes.free_space.report import judge_free_space
from espnet_ros.nodes.health import NodeHealth, Status
from espnet_ros.nodes.log_bridge import LogBridge
from espnet_ros.nodes.managed_node import ManagedNode
from espnet_ros.nodes.parameters import declare_settings
from espnet_ros.nodes.process import run_node
from espnet_ros.nodes.topics import check_camera_names

NAME = 'free_space'


class FreeSpaceNode(ManagedNode):
    """
    Turns masks into maps, ranges, outlines and clouds in metres.

    Masks, parameters and lifecycle share a callback group, so that none changes under the
    other; a mask takes milliseconds.

    :param end: takes the exit code where the node comes to its end by itself (end_on_failure)
    :param arguments: for :class:`rclpy.node.Node`
    :raises ConfigError: a parameter given at start is not allowed
    """

    def __init__(self, end: Callable[[int], None] = lambda _: None, **arguments: Any) -> None:
        super().__init__(NAME, **arguments)
        self._inputs: dict[str, MaskInput] = {}
        self._poses: PoseSource | None = None
        self._outputs: FreeSpaceOutputs | None = None
        self._pipeline: FreeSpacePipeline | None = None
        self._log_bridge = LogBridge(self.get_logger())
        self._log_bridge.attach()
        try:
            self._settings = declare_settings(
                self, FreeSpaceSettings, check=_check, on_change=self._change
            )
        except ConfigError:
            self.close()
            self.destroy_node()
            raise
        self._diagnostics = DiagnosticsPublisher(self, self._judge)
        if self._settings.autostart:
            self.start_by_itself(end if self._settings.end_on_failure else None)

    def open(self) -> None:
        """Open the source of poses."""
        self._poses = open_poses(self, lambda: self._settings)
        self.get_logger().info(f'poses of cameras come from {self._poses.name}')
        settings = self._settings
        self._inputs = {
            name: MaskInput(self, name, settings.use_confidence, self._take)
            for name in settings.cameras
        }

    def start(self) -> None:
        """Make the topics and work."""
        if self._poses is None:
            return
        self._outputs = FreeSpaceOutputs(self, self._settings.cameras)
        self._pipeline = FreeSpacePipeline(
            self, lambda: self._settings, self._poses, self._outputs
        )
        for source in self._inputs.values():
            source.subscribe()

    def stop(self) -> None:
        """Unsubscribe, and take the topics away with the last map that they hold."""
        for source in self._inputs.values():
            source.unsubscribe()
        outputs, self._outputs, self._pipeline = self._outputs, None, None
        if outputs is not None:
            outputs.close()

    def end(self) -> None:
        """Free everything."""
        self.stop()
        self._inputs = {}
        poses, self._poses = self._poses, None
        if poses is not None:
            poses.close()

    def close(self) -> None:
        """End; may be called more than once."""
        self.end()
        self._log_bridge.detach()

    def _take(self, frame: MaskFrame) -> None:
        pipeline, source = self._pipeline, self._inputs[frame.camera]
        if pipeline is None:
            return
        try:
            failure = pipeline.process(frame)
        except Exception as error:  # noqa: BLE001  (the callback's outermost frame)
            failure = 'mask', f'{type(error).__name__}: {error}'
            self.get_logger().error(traceback.format_exc(), throttle_duration_sec=5.0)
        now_s = time.monotonic()
        if failure is not None:
            kind, reason = failure
            source.record.failed(now_s, kind, reason)
            name = f'camera {frame.camera}: ' if frame.camera else ''
            self.get_logger().warning(f'{name}{reason}', throttle_duration_sec=5.0)
            return
        stamp = frame.mask.header.stamp
        source.record.published(now_s, seconds(stamp) or None)
        source.record.took(
            now_s, {'latency': now_s - frame.received_s, 'age': pipeline.age_s(stamp)}
        )

    def _change(self, settings: FreeSpaceSettings) -> None:
        self._settings = settings
        if self._pipeline is not None:
            self._pipeline.settings_changed()

    def _judge(self) -> Iterator[Status]:
        facts = {'pose_source': self._poses.name if self._poses else self._settings.pose_source}
        health = NodeHealth(self.state, failure=self.failure, model=facts)
        return judge_free_space(self, health, self._settings, self._inputs, self._pipeline)


def _check(settings: FreeSpaceSettings) -> None:
    check_camera_names(settings.cameras)
    make_rules(settings, read_label_set(settings))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node; return the exit code."""
    return run_node(FreeSpaceNode, NAME, arguments)


if __name__ == '__main__':
    sys.exit(main())
