"""The node's health on /diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Iterable
import platform
import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from espnet_ros.monitoring.health import Level, Status
from espnet_ros.nodes.ros.qos import no_events
from espnet_ros.nodes.ros.steady_timer import create_steady_timer
from rclpy.node import Node

PERIOD_S = 1.0
# rclpy holds a level as one byte; b'1' would be 49.
_LEVELS = {
    Level.OK: DiagnosticStatus.OK,
    Level.WARN: DiagnosticStatus.WARN,
    Level.ERROR: DiagnosticStatus.ERROR,
    Level.STALE: DiagnosticStatus.STALE,
}


class DiagnosticsPublisher:
    """
    Publishes statuses once a second, whatever the node is doing.

    The timer has a steady clock, as simulated time may stand still or not have begun.
    """

    def __init__(self, node: Node, diagnose: Callable[[], Iterable[Status]]) -> None:
        self._node = node
        self._diagnose = diagnose
        self._prefix = node.get_fully_qualified_name().strip('/').replace('/', ' ')
        self._publisher = node.create_publisher(
            DiagnosticArray, '/diagnostics', 10, event_callbacks=no_events()
        )
        self._timer = create_steady_timer(node, PERIOD_S, self.publish)

    def publish(self) -> None:
        message = DiagnosticArray()
        message.header.stamp = self._node.get_clock().now().to_msg()
        if not message.header.stamp.sec:  # simulated time that has not begun
            seconds, nanoseconds = divmod(time.time_ns(), 10**9)
            message.header.stamp.sec, message.header.stamp.nanosec = seconds, nanoseconds
        message.status = [self._to_message(status) for status in self._diagnose()]
        self._publisher.publish(message)

    def _to_message(self, status: Status) -> DiagnosticStatus:
        # greenwave_monitor takes a status for a topic by the slash that its name begins with.
        is_topic = status.name.startswith('/')
        return DiagnosticStatus(
            level=_LEVELS[status.level],
            name=status.name if is_topic else f'{self._prefix}: {status.name}',
            message=status.message,
            hardware_id=platform.node() or 'none',
            values=[KeyValue(key=key, value=value) for key, value in status.values.items()],
        )
