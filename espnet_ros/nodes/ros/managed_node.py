"""A lifecycle node whose errors are told once, and which can start by itself."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from functools import partial
import traceback
from typing import Any, ClassVar, TypeVar

from espnet_ros.exceptions import EspnetError
from espnet_ros.nodes.ros.process.executor import (
    call_in_spin_thread,
    SlowCallbackGroup,
    SlowReentrantCallbackGroup,
)
from espnet_ros.nodes.ros.process.hints import what_to_do
from espnet_ros.nodes.ros.process.memory import give_back_memory
from espnet_ros.nodes.ros.steady_timer import create_steady_timer
from lifecycle_msgs.srv import ChangeState
from rclpy.lifecycle import LifecycleNodeMixin, LifecycleState, TransitionCallbackReturn
from rclpy.node import Node

ResultT = TypeVar('ResultT')

_SUCCESS, _ERROR = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.ERROR


class ManagedNode(LifecycleNodeMixin, Node):  # type: ignore[misc]
    """
    Runs its transitions so that what they raise is told, which rclpy does not do.

    Transitions run beside the spinning thread, and the state can be read meanwhile.

    :param end_process: takes the exit code where the node comes to its end by itself; None where
        it shares its process with others, and stays

    :cvar is_slow_to_change: whether transitions take long. Those of a node that is not slow run
        in the spinning thread, so that no callback sees them half done
    :ivar state: of the lifecycle, for example ``active``; ``configuring`` while it does
    :ivar failure: why the last transition failed, or empty
    """

    is_slow_to_change: ClassVar[bool] = False

    def __init__(
        self, name: str, end_process: Callable[[int], None] | None = None, **arguments: Any
    ) -> None:
        Node.__init__(self, name, **arguments)
        LifecycleNodeMixin.__init__(self, callback_group=SlowReentrantCallbackGroup())
        for service in self.services:
            if service.srv_type is ChangeState:
                service.callback = partial(self._change_state, service.callback)
        self.end_process = end_process
        self.state = 'unconfigured'
        self.failure = ''
        self._ends_if_it_fails = False

    @abstractmethod
    def open(self) -> None:
        """Configure: make what the node works with."""

    @abstractmethod
    def start(self) -> None:
        """Activate: subscribe and work."""

    @abstractmethod
    def stop(self) -> None:
        """Deactivate: unsubscribe and finish."""

    @abstractmethod
    def end(self) -> None:
        """Clean up, from whatever state: free everything."""

    def start_by_itself(self) -> None:
        """Configure and activate once the node spins; a process whose node cannot ends with 1."""
        self._autostart = create_steady_timer(self, 0.001, self._start_once, SlowCallbackGroup())

    def give_up(self, reason: str) -> None:
        """Tell why the node cannot go on, and end its process, if it is its own."""
        self.failure = reason
        self.get_logger().fatal(reason)
        if self.end_process is not None:
            self.end_process(1)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._attempt(self.open, 'configuring', 'inactive', 'unconfigured')

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._attempt(self.start, 'activating', 'active', 'inactive')

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop; what was opened stays."""
        return self._attempt(self.stop, 'deactivating', 'inactive', 'inactive')

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End, and leave no memory behind."""
        result = self._attempt(self.end, 'cleaningup', 'unconfigured', 'unconfigured')
        give_back_memory()
        return result

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End, from whatever state."""
        return self._attempt(self.end, 'shuttingdown', 'finalized', 'finalized')

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End, so that the node can be configured again."""
        return self._attempt(self.end, 'errorprocessing', 'unconfigured', 'finalized')

    def trigger_configure(self) -> TransitionCallbackReturn:
        return self._refuse(super().trigger_configure, _ERROR)

    def trigger_activate(self) -> TransitionCallbackReturn:
        return self._refuse(super().trigger_activate, _ERROR)

    def trigger_deactivate(self) -> TransitionCallbackReturn:
        return self._refuse(super().trigger_deactivate, _ERROR)

    def trigger_cleanup(self) -> TransitionCallbackReturn:
        return self._refuse(super().trigger_cleanup, _ERROR)

    def configure_and_activate(self) -> bool:
        """Return whether both transitions succeeded."""
        return bool(self.trigger_configure() == _SUCCESS and self.trigger_activate() == _SUCCESS)

    def _change_state(
        self,
        change: Callable[[ChangeState.Request, ChangeState.Response], ChangeState.Response],
        request: ChangeState.Request,
        response: ChangeState.Response,
    ) -> ChangeState.Response:
        return self._refuse(lambda: change(request, response), ChangeState.Response(success=False))

    def _refuse(self, change: Callable[[], ResultT], refusal: ResultT) -> ResultT:
        """Return the refusal of a transition that the state has not; Humble's rclpy raises."""
        try:
            return change()
        except RuntimeError as error:
            self.get_logger().error(f'{self.state}: {error}')
            return refusal

    def _start_once(self) -> None:
        self._autostart.cancel()
        self._ends_if_it_fails = self.end_process is not None
        is_active = self.configure_and_activate()
        self._ends_if_it_fails = False
        if not is_active and self.end_process is not None:
            self.end_process(1)

    def _attempt(
        self, action: Callable[[], None], meanwhile: str, then: str, otherwise: str
    ) -> TransitionCallbackReturn:
        before, self.state, self.failure = self.state, meanwhile, ''
        try:
            if self.is_slow_to_change:
                action()
            else:
                call_in_spin_thread(self, action)
        except EspnetError as error:
            self.failure = str(error)
        except Exception as error:  # noqa: BLE001  (the callback's outermost frame)
            self.failure = f'{type(error).__name__}: {error}{what_to_do(error)}'
            self.get_logger().debug(traceback.format_exc())
        if not self.failure:
            self.state = then
            self.get_logger().info(then)
            return _SUCCESS
        self.state = otherwise
        if meanwhile in ('configuring', 'activating'):
            transition = {'configuring': 'configure', 'activating': 'activate'}[meanwhile]
            command = f'ros2 lifecycle set {self.get_fully_qualified_name()} {transition}'
            hint = f'; fix it, then: {command}'
            self.get_logger().error(
                f'cannot {transition}: {self.failure}{"" if self._ends_if_it_fails else hint}'
            )
        else:
            self.get_logger().error(f'{meanwhile} from {before}: {self.failure}')
        return TransitionCallbackReturn.FAILURE
