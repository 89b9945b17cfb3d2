"""Getting over a GPU that was lost: stop, say so, and configure again a few times."""

from __future__ import annotations

from espnet_ros.nodes.managed_node import ManagedNode
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import TransitionCallbackReturn

MOST_TRIES = 3
PAUSE_S = 1.0


class DeviceRecovery:
    """
    Takes a node down when its device is lost, and up again.

    The device is told lost from the worker's thread; everything here happens in the node's
    default callback group, as every transition does.

    :param node: the node
    :param pause_s: seconds before each try
    """

    def __init__(self, node: ManagedNode, pause_s: float = PAUSE_S) -> None:
        self._node = node
        self._tries = 0
        self._reason = ''
        self._wake = node.create_guard_condition(self._take_down)
        self._timer = node.create_timer(
            pause_s, self._try_again, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )
        self._timer.cancel()

    def lost(self, reason: str) -> None:
        """Tell that the device is lost; may be called from any thread, and again."""
        if not self._reason:
            self._reason = reason
            self._wake.trigger()

    def _take_down(self) -> None:
        if not self._reason or self._node.state != 'active':
            return
        self._node.trigger_deactivate()
        self._node.failure = self._reason
        self._node.get_logger().error(f'inactive, as the device is lost: {self._reason}')
        self._timer.reset()

    def _try_again(self) -> None:
        self._timer.cancel()
        reason = self._reason
        if self._node.state not in ('inactive', 'unconfigured') or not reason:
            return  # somebody else took it in hand
        self._tries += 1
        if self._tries > MOST_TRIES:
            self._node.failure = f'{reason}; gave up after {MOST_TRIES} tries: restart the process'
            self._node.get_logger().fatal(self._node.failure)
            return
        self._node.get_logger().info(f'try {self._tries} of {MOST_TRIES} to open the device again')
        if self._node.state == 'inactive':
            self._node.trigger_cleanup()
        self._reason = ''
        succeeded = TransitionCallbackReturn.SUCCESS
        if self._node.trigger_configure() == succeeded:
            self._node.trigger_activate()
        else:
            self._reason = reason
            self._timer.reset()
