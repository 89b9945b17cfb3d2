"""Getting over a GPU that was lost: stop, say so, and configure again a few times."""

from __future__ import annotations

import math
import time

from espnet_ros.nodes.ros.managed_node import ManagedNode
from espnet_ros.nodes.ros.process.executor import SlowCallbackGroup
from espnet_ros.nodes.ros.steady_timer import create_steady_timer

MOST_TRIES = 3
PAUSE_S = 1.0
HEALTHY_S = 60.0
"""After so long without a loss, tries count from 0."""


class DeviceRecovery:
    """
    Takes a node down when its device is lost, and up again.

    The device is told lost from the worker's thread; everything else happens in callbacks of a
    slow group. After too many tries the node gives up, which ends its process.
    """

    def __init__(self, node: ManagedNode, pause_s: float = PAUSE_S) -> None:
        self._node = node
        self._tries = 0
        self._reason = ''
        self._is_down = False
        self._recovered_s = -math.inf
        group = SlowCallbackGroup()
        self._wake = node.create_guard_condition(self._take_down, callback_group=group)
        self._timer = create_steady_timer(node, pause_s, self._try_again, group)
        self._timer.cancel()

    def lost(self, reason: str) -> None:
        """Tell that the device is lost; may be called from any thread, and again."""
        if not self._reason:
            self._reason = reason
            self._wake.trigger()

    def _take_down(self) -> None:
        if self._node.state == 'activating':  # the first frame was quicker
            self._timer.reset()
        if not self._reason or self._node.state != 'active':
            return
        if time.monotonic() - self._recovered_s > HEALTHY_S:
            self._tries = 0
        self._is_down = True
        self._node.trigger_deactivate()
        self._node.failure = self._reason
        self._node.get_logger().error(f'inactive, as the device is lost: {self._reason}')
        self._timer.reset()

    def _try_again(self) -> None:
        self._timer.cancel()
        reason = self._reason
        if not self._is_down:
            self._take_down()
            return
        if self._node.state not in ('inactive', 'unconfigured') or not reason:
            return  # somebody else took it in hand
        self._tries += 1
        if self._tries > MOST_TRIES:
            self._node.give_up(f'{reason}; gave up after {MOST_TRIES} tries: restart the process')
            return
        self._node.get_logger().info(f'try {self._tries} of {MOST_TRIES} to open the device again')
        if self._node.state == 'inactive':
            self._node.trigger_cleanup()
        self._reason, self._is_down = '', False
        if self._node.configure_and_activate():
            self._recovered_s = time.monotonic()
        else:
            self._reason, self._is_down = reason, True
            self._timer.reset()
