"""
The segmentation node: camera images in, label masks out.

A lifecycle node. Configuring opens the model and makes the topics, activating subscribes the
cameras and starts the worker thread; by default it does both by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
import sys
from typing import Any, ClassVar

from espnet_ros.config import SegmentationNodeSettings
from espnet_ros.exceptions import ConfigError
from espnet_ros.monitoring.health import NodeHealth, Status
from espnet_ros.nodes.ros.diagnostics import DiagnosticsPublisher
from espnet_ros.nodes.ros.log_bridge import LogBridge
from espnet_ros.nodes.ros.managed_node import ManagedNode
from espnet_ros.nodes.ros.parameters import declare_settings
from espnet_ros.nodes.ros.process.executor import SlowCallbackGroup
from espnet_ros.nodes.ros.process.runner import run_node
from espnet_ros.nodes.ros.topics import check_camera_names
from espnet_ros.nodes.segmentation.device_recovery import DeviceRecovery
from espnet_ros.nodes.segmentation.engine_care import EngineCare
from espnet_ros.nodes.segmentation.health.report import describe_model, diagnose_node
from espnet_ros.nodes.segmentation.session import Session
from espnet_ros.nodes.segmentation.web_feed import WebFeed
from rclpy.lifecycle import TransitionCallbackReturn
from std_srvs.srv import SetBool

NAME = 'segmentation'


class SegmentationNode(ManagedNode):
    """
    Segments the images of one or several cameras with one model.

    Images, parameters and diagnostics share the spinning thread; what may take long (transitions,
    ``~/enable``, which waits for a frame in flight, and building engines) runs beside it.

    :param end_process: takes the exit code where the node comes to its end by itself
        (build_only, a start that failed, a device that stays lost)
    :raises ConfigError: a parameter given at start is not allowed
    """

    is_slow_to_change: ClassVar[bool] = True

    def __init__(self, end_process: Callable[[int], None] | None = None, **arguments: Any) -> None:
        super().__init__(NAME, end_process, **arguments)
        self._session: Session | None = None
        self._model: dict[str, str] = {}
        self._web: WebFeed | None = None
        self._log_bridge = LogBridge(self.get_logger())
        self._log_bridge.attach()
        try:
            self._settings = declare_settings(
                self, SegmentationNodeSettings, check=self._check, on_change=self._change
            )
        except ConfigError:
            self.close()
            self.destroy_node()
            raise
        self._is_enabled = self._settings.start_enabled
        self._diagnostics = DiagnosticsPublisher(self, self._diagnose)
        self._enable_service = self.create_service(
            SetBool, '~/enable', self._enable, callback_group=SlowCallbackGroup()
        )
        self._engine = EngineCare(self, lambda: self._session, self._describe)
        self._recovery = DeviceRecovery(self)
        if self._settings.web.port and not self._settings.build_only:
            self._web = WebFeed(self, self._settings.web, self._settings.cameras, self._diagnose)
        if self._settings.autostart or self._settings.build_only:
            self.start_by_itself()

    def open(self) -> None:
        try:
            self._session = Session(self, lambda: self._settings, self._engine.watch)
        finally:
            self._engine.done()
        self._session.pipeline.when_device_lost = self._recovery.lost
        if self._web is not None:
            self._web.attach(self._session)
        self._describe()

    def start(self) -> None:
        if self._session is not None:
            self._session.start(self._is_enabled)

    def stop(self) -> None:
        """Stop segmenting; the model stays loaded."""
        if self._session is not None:
            self._session.stop()

    def end(self) -> None:
        session, self._session, self._model = self._session, None, {}
        if self._web is not None:
            self._web.detach()
        if session is not None:
            session.close()

    def interrupt(self) -> None:
        """End what takes minutes, as the process is to end."""
        self._engine.cancel()

    def close(self) -> None:
        """End the worker and free the model; may be called more than once."""
        self.end()
        if self._web is not None:
            self._web.close()
        self._log_bridge.detach()

    def configure_and_activate(self) -> bool:
        """Return whether both transitions succeeded; with build_only, configure and end."""
        if not self._settings.build_only:
            return super().configure_and_activate()
        is_done = bool(self.trigger_configure() == TransitionCallbackReturn.SUCCESS)
        self.get_logger().info('build_only: done' if is_done else 'build_only: failed')
        if is_done and self.end_process is not None:
            self.end_process(0)
        return is_done

    def _describe(self) -> None:
        if self._session is not None:
            self._model = describe_model(self._session.segmenter)

    def _check(self, settings: SegmentationNodeSettings) -> None:
        check_camera_names(settings.cameras)
        if self._session is not None:
            self._session.segmenter.check(settings.mask)

    def _change(self, settings: SegmentationNodeSettings) -> None:
        self._settings = settings
        if self._session is not None:
            self._session.settings_changed()

    def _enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        word = 'enabled' if request.data else 'disabled'
        already = 'already ' if request.data == self._is_enabled else ''
        self._is_enabled = request.data
        session = self._session
        response.success = session is None or session.set_enabled(request.data)
        response.message = f'{already}{word}'
        if not response.success:
            response.message += ', but the frame in flight is not done yet'
        elif self.state != 'active':
            response.message += f'; the node is {self.state}'
        self.get_logger().info(response.message)
        return response

    def _diagnose(self) -> Iterator[Status]:
        model = self._model | self._engine.facts
        health = NodeHealth(self.state, self._is_enabled, self.failure, model)
        session = self._session
        yield from diagnose_node(self, health, self._settings, session)
        if self._web is not None:
            yield from self._web.statuses()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node; return the exit code: 0 after a signal to end, or when build_only is done."""
    return run_node(SegmentationNode, NAME, arguments)


if __name__ == '__main__':
    sys.exit(main())
