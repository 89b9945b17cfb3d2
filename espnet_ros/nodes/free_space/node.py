"""
The free space node: label masks and the camera's geometry in, what planners take out.

A lifecycle node, which configures and activates by itself by default. Whatever is missing or
makes no sense stops its output and is told on /diagnostics; nothing is ever guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
import sys
import traceback
from typing import Any

from espnet_ros.config import FreeSpaceSettings
from espnet_ros.exceptions import ConfigError
from espnet_ros.monitoring.health import NodeHealth, Status
from espnet_ros.nodes.free_space.outputs import FreeSpaceOutputs
from espnet_ros.nodes.free_space.pipeline import FreeSpacePipeline, make_shapes
from espnet_ros.nodes.free_space.poses import name_pose_source, open_poses, PoseSource
from espnet_ros.nodes.free_space.report import Report
from espnet_ros.nodes.free_space.synchronization.ages import Ages
from espnet_ros.nodes.free_space.synchronization.camera_input import CameraInput
from espnet_ros.nodes.free_space.synchronization.meaning import check_meaning
from espnet_ros.nodes.free_space.synchronization.quiet_trigger import QuietTrigger
from espnet_ros.nodes.ros.diagnostics import DiagnosticsPublisher
from espnet_ros.nodes.ros.log_bridge import LogBridge
from espnet_ros.nodes.ros.managed_node import ManagedNode
from espnet_ros.nodes.ros.parameters import declare_settings
from espnet_ros.nodes.ros.process.runner import run_node
from espnet_ros.nodes.ros.steady_timer import create_steady_timer
from espnet_ros.nodes.ros.topics import check_camera_names
from rclpy.timer import Timer
from sensor_msgs.msg import Image

NAME = 'free_space'
_POLL_S = 0.01
_AGEING_S = 0.1


class FreeSpaceNode(ManagedNode):
    """
    Turns masks into maps, ranges, outlines and clouds in metres.

    Everything happens in the spinning thread, so that nothing changes under the other; a mask
    takes milliseconds, and one that waits for a transform blocks nothing.

    :param end_process: takes the exit code where the node cannot start
    :raises ConfigError: a parameter given at start is not allowed
    """

    def __init__(self, end_process: Callable[[int], None] | None = None, **arguments: Any) -> None:
        super().__init__(NAME, end_process, **arguments)
        self._inputs: dict[str, CameraInput] = {}
        self._poses: PoseSource | None = None
        self._outputs: FreeSpaceOutputs | None = None
        self._pipeline: FreeSpacePipeline | None = None
        self._periodic: list[Timer] = []
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
        self._ages = Ages(lambda: int(self.get_clock().now().nanoseconds), lambda: self._settings)
        self._diagnostics = DiagnosticsPublisher(self, self._diagnose)
        if self._settings.autostart:
            self.start_by_itself()

    def open(self) -> None:
        self.get_logger().info(f'poses of cameras come from {name_pose_source(self._settings)}')
        self._inputs = {
            name: CameraInput(self, name, lambda: self._settings)
            for name in self._settings.cameras
        }

    def start(self) -> None:
        # TF is subscribed again at each activation: what was in its tree before is over.
        self._poses = open_poses(self, lambda: self._settings)
        self._outputs = FreeSpaceOutputs(self, self._settings.cameras, self._ages)
        self._pipeline = FreeSpacePipeline(
            self._inputs,
            self._poses,
            self._ages,
            self._outputs,
            settings=lambda: self._settings,
            tell=self._tell,
        )
        self._work = QuietTrigger(self, self._advance)
        self._poll = create_steady_timer(self, _POLL_S, self._work.trigger)
        self._poll.cancel()
        self._periodic = [self._poll, create_steady_timer(self, _AGEING_S, self._withdraw)]
        for name, source in self._inputs.items():
            source.subscribe(partial(self._take, name), self._wake)

    def stop(self) -> None:
        """Unsubscribe, and take the topics away with the last map that they hold."""
        for source in self._inputs.values():
            source.unsubscribe()
        for timer in self._periodic:
            self.destroy_timer(timer)
        if self._periodic:
            self._work.destroy()
        self._periodic = []
        outputs, self._outputs, self._pipeline = self._outputs, None, None
        if outputs is not None:
            outputs.close()
        poses, self._poses = self._poses, None
        if poses is not None:
            poses.close()

    def end(self) -> None:
        self.stop()
        self._inputs = {}

    def close(self) -> None:
        self.end()
        self._log_bridge.detach()

    def _take(self, camera: str, mask: Image) -> None:
        if self._pipeline is not None:
            self._pipeline.take(camera, mask)
            self._work.heard()

    def _wake(self) -> None:
        """Look what can be processed, after a message other than a mask."""
        if self._pipeline is not None and self._pipeline.is_waiting:
            self._work.heard()

    def _advance(self) -> None:
        pipeline = self._pipeline
        if pipeline is None:
            return
        for camera in self._settings.cameras:
            try:
                pipeline.advance(camera)
            except Exception as error:  # noqa: BLE001  (the callback's outermost frame)
                self.get_logger().error(traceback.format_exc(), throttle_duration_sec=5.0)
                pipeline.give_up(camera, f'{type(error).__name__}: {error}')
        # The timer runs only while something waits.
        if not pipeline.is_waiting:
            self._poll.cancel()
        elif self._poll.is_canceled():
            self._poll.reset()

    def _withdraw(self) -> None:
        if self._outputs is not None and self._outputs.costmap.withdraw_if_old():
            self.get_logger().info('the last map is no longer current: it was removed')

    def _tell(self, camera: str, reason: str) -> None:
        name = f'camera {camera}: ' if camera else ''
        self.get_logger().warning(f'{name}{reason}', throttle_duration_sec=5.0)

    def _change(self, settings: FreeSpaceSettings) -> None:
        self._settings = settings
        if self._pipeline is not None:
            self._pipeline.settings_changed()

    def _diagnose(self) -> Iterator[Status]:
        health = NodeHealth(self.state, failure=self.failure)
        report = Report(self, health, self._settings)
        return report.statuses(self._inputs, self._pipeline, self._outputs, self._poses)


def _check(settings: FreeSpaceSettings) -> None:
    check_camera_names(settings.cameras)
    check_meaning(settings)
    make_shapes(settings)


def main(arguments: Sequence[str] | None = None) -> int:
    return run_node(FreeSpaceNode, NAME, arguments)


if __name__ == '__main__':
    sys.exit(main())
