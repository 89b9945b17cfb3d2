"""Quality of service of the topics; users change it by ``qos_overrides`` parameters."""

from __future__ import annotations

from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSPolicyKind, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions

try:
    from rclpy.event_handler import PublisherEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import PublisherEventCallbacks

# Each call returns a new profile, as rclpy writes the overrides into the one it is given.


def sensor_qos(depth: int = 1) -> QoSProfile:
    """Return best effort, keep last; with a depth of 1 the newest image or none."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.BEST_EFFORT,
    )


def result_qos() -> QoSProfile:
    """Return reliable, keep last 1: matches reliable and best-effort readers alike."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.RELIABLE
    )


def latched_qos() -> QoSProfile:
    """Return reliable, transient local, keep last 1: who comes late gets the last one."""
    profile = result_qos()
    profile.durability = DurabilityPolicy.TRANSIENT_LOCAL
    return profile


def no_events() -> PublisherEventCallbacks:
    """
    Return no callbacks for the events of a publisher.

    The executor asks every handler of events each time it wakes, and the default ones only log
    that a reader's QoS does not fit, which the reader logs itself.
    """
    return PublisherEventCallbacks(use_default_callbacks=False)


def create_publisher(node: Node, message_type: Any, topic: str, qos: QoSProfile) -> Publisher:
    """Return a publisher of results: its QoS can be overridden, and it has no event handlers."""
    return node.create_publisher(
        message_type,
        topic,
        qos,
        qos_overriding_options=overridable(),
        event_callbacks=no_events(),
    )


def overridable() -> QoSOverridingOptions:
    """Return the policies that parameters may change."""
    return QoSOverridingOptions(
        (QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH, QoSPolicyKind.RELIABILITY)
    )
