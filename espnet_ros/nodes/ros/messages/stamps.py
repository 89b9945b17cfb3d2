"""Stamps of messages as numbers, and clocks that have not begun."""

from __future__ import annotations

from builtin_interfaces.msg import Time
from rclpy.node import Node

NS_PER_S = 10**9


def stamp_ns(stamp: Time) -> int:
    """Return a stamp in nanoseconds, 0 where it was never set."""
    return int(stamp.sec) * NS_PER_S + int(stamp.nanosec)


def seconds_since(time_ns: int, now_ns: int) -> float | None:
    """
    Return the age of a stamp.

    :param time_ns: the stamp, 0 where it was never set
    :param now_ns: the time now, 0 where simulated time has not begun
    :return: seconds, below 0 where the clocks differ; None where either time is not known
    """
    return (now_ns - time_ns) / NS_PER_S if time_ns and now_ns else None


def waits_for_clock(node: Node) -> bool:
    """Return whether the node is to use simulated time, and nothing came on /clock yet."""
    clock = node.get_clock()
    return bool(clock.ros_time_is_active) and not clock.now().nanoseconds
