"""The publishers of the free space node; each is filled only while somebody listens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import time
from typing import Any

from espnet_ros.monitoring.camera_record import CameraRecord
from espnet_ros.nodes.free_space.synchronization.ages import Ages
from espnet_ros.nodes.ros.messages.stamps import NS_PER_S, seconds_since, stamp_ns
from espnet_ros.nodes.ros.qos import create_publisher, latched_qos, result_qos
from espnet_ros.nodes.ros.topics import output_topic
from geometry_msgs.msg import PolygonStamped
from nav_msgs.msg import OccupancyGrid
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import LaserScan, PointCloud2

COSTMAP, SCAN, OUTLINE, OBSTACLES = '~/costmap', '~/scan', '~/free_space', '~/obstacles'


@dataclass(frozen=True)
class Origin:
    """
    The mask that an output was made of.

    :param stamp: its stamp, builtin_interfaces/Time
    :param received_s: when it came, by time.monotonic
    :param has_age: whether its stamp tells how old it is
    """

    stamp: Any
    received_s: float
    has_age: bool


class Output:
    """
    One topic, and the record of what went out on it.

    :param topic: as it is passed to rclpy
    """

    def __init__(
        self,
        node: Node,
        topic: str,
        kind: type,
        make_qos: Callable[[], QoSProfile],
        ages: Ages,
    ) -> None:
        self.topic = str(node.resolve_topic_name(topic))
        self.record = CameraRecord(topic, time.monotonic())
        self._node = node
        self._make: Callable[[], Any] = lambda: create_publisher(node, kind, topic, make_qos())
        self._publisher = self._make()
        self._ages = ages
        self._was_wanted = False
        self._published_ns: int | None = None
        self._interval_ns = 0

    @property
    def is_wanted(self) -> bool:
        """Return whether somebody listens; from then on messages are expected."""
        is_wanted = bool(self._publisher.get_subscription_count() > 0)
        if is_wanted and not self._was_wanted:
            self.record.restart(time.monotonic())
        self._was_wanted = is_wanted
        return is_wanted

    def publish(self, make: Callable[[], Any], origin: Origin) -> None:
        """Publish what ``make`` returns, if somebody listens."""
        if not self.is_wanted:
            return
        self._publisher.publish(make())
        now_s, now_ns = time.monotonic(), self._ages.now_ns()
        self.record.published(now_s, stamp_ns(origin.stamp) / NS_PER_S or None)
        age_s = seconds_since(stamp_ns(origin.stamp), now_ns) if origin.has_age else None
        self.record.took(now_s, {'latency': now_s - origin.received_s, 'age': age_s})
        if self._published_ns is not None:
            self._interval_ns = max(0, now_ns - self._published_ns)
        self._published_ns = now_ns

    def withdraw_if_old(self) -> bool:
        """
        Take a message that is kept for late subscribers away once it is no longer current.

        That is after the greatest age, or twice the usual time between two where they are
        rare, at most the time that a camera may be silent.

        :return: whether it was taken away
        """
        if self._published_ns is None:
            return False
        ages = self._ages
        rare_s = min(2 * self._interval_ns / NS_PER_S, ages.silence_s)
        age_s = (ages.now_ns() - self._published_ns) / NS_PER_S
        if 0 <= age_s <= max(ages.patience_s, rare_s):
            return False
        self._published_ns = None
        self._node.destroy_publisher(self._publisher)
        self._publisher = self._make()
        return True

    def close(self) -> None:
        self._node.destroy_publisher(self._publisher)


class FreeSpaceOutputs:
    """
    Holds the outputs.

    The map is latched, as consumers of maps expect. A map that grew old is taken away, as
    closing takes the last one away, so that nobody gets it for a current one.
    """

    def __init__(self, node: Node, cameras: Sequence[str], ages: Ages) -> None:
        kinds: dict[str, type] = {
            SCAN: LaserScan,
            OUTLINE: PolygonStamped,
            OBSTACLES: PointCloud2,
            **{output_topic(name, 'points'): PointCloud2 for name in cameras},
        }
        self.costmap = Output(node, COSTMAP, OccupancyGrid, latched_qos, ages)
        self._others = {
            topic: Output(node, topic, kind, result_qos, ages) for topic, kind in kinds.items()
        }

    def __getitem__(self, topic: str) -> Output:
        """Return the output of a topic other than the map."""
        return self._others[topic]

    def all(self) -> list[Output]:
        return [self.costmap, *self._others.values()]

    def close(self) -> None:
        for output in self.all():
            output.close()
