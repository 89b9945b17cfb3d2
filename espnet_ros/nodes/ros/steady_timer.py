"""Timers that go on where simulated time stands still or has not begun."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.callback_groups import CallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.timer import Timer


def create_steady_timer(
    node: Node,
    period_s: float,
    callback: Callable[[], None],
    callback_group: CallbackGroup | None = None,
) -> Timer:
    """
    Return a timer of a node that runs by a steady clock.

    :param callback_group: None takes the node's own
    """
    clock = Clock(clock_type=ClockType.STEADY_TIME)
    return node.create_timer(period_s, callback, callback_group=callback_group, clock=clock)
