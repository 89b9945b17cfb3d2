"""A lifecycle node that starts by itself and says why it could not."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
import traceback
from typing import Any

from espnet_ros.exceptions import EspnetError
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn


class ManagedNode(LifecycleNode):  # type: ignore[misc]
    """
    Runs its transitions so that what they raise is told, which rclpy does not do.

    :param name: of the node
    :param arguments: for :class:`rclpy.node.Node`

    :ivar state: of the lifecycle, for example ``active``; ``configuring`` while it does
    :ivar failure: why the last transition failed, or empty
    """

    def __init__(self, name: str, **arguments: Any) -> None:
        super().__init__(name, **arguments)
        self.state = 'unconfigured'
        self.failure = ''
        self._end_if_failed: Callable[[int], None] | None = None

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

    def start_by_itself(self, end: Callable[[int], None] | None = None) -> None:
        """
        Configure and activate once the node spins.

        :param end: takes the exit code where that fails and the process is to end then
        """
        self._end_if_failed = end
        # A steady clock, as simulated time may not have begun.
        self._autostart = self.create_timer(
            0.001, self._configure_and_activate, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Open."""
        return self._attempt(self.open, 'configuring', 'inactive', 'unconfigured')

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start."""
        return self._attempt(self.start, 'activating', 'active', 'inactive')

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop; what was opened stays."""
        return self._attempt(self.stop, 'deactivating', 'inactive', 'inactive')

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End."""
        return self._attempt(self.end, 'cleaningup', 'unconfigured', 'unconfigured')

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End, from whatever state."""
        return self._attempt(self.end, 'shuttingdown', 'finalized', 'finalized')

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End, so that the node can be configured anew."""
        return self._attempt(self.end, 'errorprocessing', 'unconfigured', 'finalized')

    def _configure_and_activate(self) -> None:
        self._autostart.cancel()
        succeeded = TransitionCallbackReturn.SUCCESS
        is_active = self.trigger_configure() == succeeded and self.trigger_activate() == succeeded
        end, self._end_if_failed = self._end_if_failed, None
        if end is not None and not is_active:
            end(1)

    def _attempt(
        self, action: Callable[[], None], meanwhile: str, then: str, otherwise: str
    ) -> TransitionCallbackReturn:
        before, self.state, self.failure = self.state, meanwhile, ''
        try:
            action()
        except EspnetError as error:
            self.failure = str(error)
        except Exception as error:  # noqa: BLE001  (the callback's outermost frame)
            self.failure = f'{type(error).__name__}: {error}'
            self.get_logger().debug(traceback.format_exc())
        if not self.failure:
            self.state = then
            self.get_logger().info(then)
            return TransitionCallbackReturn.SUCCESS
        self.state = otherwise
        if meanwhile in ('configuring', 'activating'):
            verb = {'configuring': 'configure', 'activating': 'activate'}[meanwhile]
            hint = f'fix it, then: ros2 lifecycle set {self.get_fully_qualified_name()} {verb}'
            if self._end_if_failed is not None:
                hint = 'the process ends, as end_on_failure is set'
            self.get_logger().error(f'cannot {verb}: {self.failure}; {hint}')
        else:
            self.get_logger().error(f'{meanwhile} from {before}: {self.failure}')
        return TransitionCallbackReturn.FAILURE
