"""From /diagnostics to the statuses of the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from espnet_ros.monitoring.health import Level, Status
from rclpy.node import Node
from rclpy.subscription import Subscription

SILENT_S = 3.0
FORGOTTEN_S = 60.0
_LEVELS = {bytes([level]): level for level in Level}


class StatusFeed:
    """
    Keeps the newest status of each name, for as long as somebody looks.

    One that falls silent becomes STALE, and is forgotten after a minute.

    :param node: subscribes, in its spinning thread
    :param is_shown: tells by its name whether a status is shown
    """

    def __init__(self, node: Node, is_shown: Callable[[str], bool]) -> None:
        self._node = node
        self._is_shown = is_shown
        self._newest: dict[str, tuple[float, Status]] = {}
        self._subscription: Subscription | None = None

    def follow(self, is_wanted: bool) -> None:
        """Subscribe, or leave; does nothing where that is done."""
        if is_wanted and self._subscription is None:
            self._subscription = self._node.create_subscription(
                DiagnosticArray, '/diagnostics', self._take, 10
            )
        elif not is_wanted and self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None
            self._newest.clear()

    def statuses(self) -> list[Status]:
        """Return the statuses now, in the order in which they first came."""
        now_s = time.monotonic()
        for name, (came_s, _) in tuple(self._newest.items()):
            if now_s - came_s > FORGOTTEN_S:
                del self._newest[name]
        return [_aged(status, now_s - came_s) for came_s, status in self._newest.values()]

    def _take(self, message: DiagnosticArray) -> None:
        now_s = time.monotonic()
        for status in message.status:
            if self._is_shown(status.name):
                self._newest[status.name] = (now_s, _read(status))


def _read(status: DiagnosticStatus) -> Status:
    level = _LEVELS.get(bytes(status.level), Level.STALE)
    values = {entry.key: entry.value for entry in status.values}
    return Status(status.name, level, status.message, values)


def _aged(status: Status, age_s: float) -> Status:
    if age_s < SILENT_S:
        return status
    message = f'nothing for {age_s:.0f} s; it was: {status.message}'
    return replace(status, level=Level.STALE, message=message)
