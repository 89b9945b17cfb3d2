"""
The segmentation node: camera images in, label masks out.

A lifecycle node. Configuring opens the model and makes the topics, activating subscribes the
cameras and starts the worker thread; by default it does both by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
import sys
import traceback
from typing import Any

from espnet_ros.config import SegmentationNodeSettings
from espnet_ros.exceptions import ConfigError, EspnetError
from espnet_ros.nodes.diagnostics import DiagnosticsPublisher
from espnet_ros.nodes.health import NodeHealth, Status
from espnet_ros.nodes.log_bridge import LogBridge
from espnet_ros.nodes.parameters import declare_settings
from espnet_ros.nodes.process import run_node
from espnet_ros.nodes.report import describe_model, judge_node
from espnet_ros.nodes.session import Session
from espnet_ros.nodes.topics import check_camera_names
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_srvs.srv import SetBool

NAME = 'segmentation'


class SegmentationNode(LifecycleNode):  # type: ignore[misc]
    """
    Segments the images of one or several cameras with one model.

    Four callback groups keep each other free: parameters and lifecycle (the default one;
    configuring takes seconds), images, diagnostics, and ``~/enable``. It needs an executor
    with several threads.

    :param arguments: for :class:`rclpy.node.Node`
    :raises ConfigError: a parameter given at start is not allowed
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(NAME, **arguments)
        self._session: Session | None = None
        self._state = 'unconfigured'
        self._failure = ''
        self._model: dict[str, str] = {}
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
        self._image_group = MutuallyExclusiveCallbackGroup()
        self._diagnostics = DiagnosticsPublisher(self, self._judge)
        self._enable_service = self.create_service(
            SetBool, '~/enable', self._enable, callback_group=MutuallyExclusiveCallbackGroup()
        )
        if self._settings.autostart:
            # A steady clock, as simulated time may not have begun.
            steady = Clock(clock_type=ClockType.STEADY_TIME)
            self._autostart = self.create_timer(0.001, self._start_by_itself, clock=steady)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Open the model and make the topics."""

        def configure() -> None:
            self._session = Session(self, lambda: self._settings, self._image_group)
            self._model = describe_model(self._session.segmenter)

        return self._attempt(configure, 'configuring', 'inactive', 'unconfigured')

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe the cameras and segment."""

        def activate() -> None:
            if self._session is not None:
                self._session.start(self._is_enabled)

        return self._attempt(activate, 'activating', 'active', 'inactive')

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop segmenting; the model stays loaded."""

        def deactivate() -> None:
            if self._session is not None:
                self._session.stop()

        return self._attempt(deactivate, 'deactivating', 'inactive', 'inactive')

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the model and take the topics away."""
        return self._attempt(self._end_session, 'cleaningup', 'unconfigured', 'unconfigured')

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything, from whatever state."""
        return self._attempt(self._end_session, 'shuttingdown', 'finalized', 'finalized')

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything, so that the node can be configured anew."""
        return self._attempt(self._end_session, 'errorprocessing', 'unconfigured', 'finalized')

    def close(self) -> None:
        """End the worker and free the model; may be called more than once."""
        self._end_session()
        self._log_bridge.detach()

    def _attempt(
        self, action: Callable[[], None], meanwhile: str, then: str, otherwise: str
    ) -> TransitionCallbackReturn:
        """Run a transition; rclpy would swallow what it raises without a word."""
        before, self._state, self._failure = self._state, meanwhile, ''
        try:
            action()
        except EspnetError as error:
            self._failure = str(error)
        except Exception as error:  # noqa: BLE001  (the callback's outermost frame)
            self._failure = f'{type(error).__name__}: {error}'
            self.get_logger().debug(traceback.format_exc())
        if not self._failure:
            self._state = then
            self.get_logger().info(then)
            return TransitionCallbackReturn.SUCCESS
        self._state = otherwise
        if meanwhile in ('configuring', 'activating'):
            hint = f'mend it, then: ros2 lifecycle set {self.get_fully_qualified_name()}'
            verb = {'configuring': 'configure', 'activating': 'activate'}[meanwhile]
            self.get_logger().error(f'cannot {verb}: {self._failure}; {hint} {verb}')
        else:
            self.get_logger().error(f'{meanwhile} from {before}: {self._failure}')
        return TransitionCallbackReturn.FAILURE

    def _end_session(self) -> None:
        session, self._session, self._model = self._session, None, {}
        if session is not None:
            session.close()

    def _start_by_itself(self) -> None:
        self._autostart.cancel()
        if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

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
        elif self._state != 'active':
            response.message += f'; the node is {self._state}'
        self.get_logger().info(response.message)
        return response

    def _judge(self) -> Iterator[Status]:
        health = NodeHealth(self._state, self._is_enabled, self._failure, self._model)
        session = self._session
        return judge_node(self, health, self._settings, session)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node; return the exit code."""
    return run_node(SegmentationNode, NAME, arguments)


if __name__ == '__main__':
    sys.exit(main())
