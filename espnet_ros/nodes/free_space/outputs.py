"""The publishers of the free space node; each is filled only while somebody listens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from espnet_ros.nodes.qos import latched_qos, overridable, result_qos
from espnet_ros.nodes.topics import output_topic
from geometry_msgs.msg import PolygonStamped
from nav_msgs.msg import OccupancyGrid
from rclpy.node import Node
from sensor_msgs.msg import LaserScan, PointCloud2


class FreeSpaceOutputs:
    """
    Holds the publishers.

    The map is latched, as consumers of maps expect; closing takes the last one away, so that
    nobody gets an old map from a node that has stopped.

    :param node: the node
    :param cameras: camera names
    """

    def __init__(self, node: Node, cameras: Sequence[str]) -> None:
        self._node = node
        kinds: dict[str, tuple[type, Callable[[], Any]]] = {
            '~/costmap': (OccupancyGrid, latched_qos),
            '~/scan': (LaserScan, result_qos),
            '~/free_space': (PolygonStamped, result_qos),
            '~/obstacles': (PointCloud2, result_qos),
            **{output_topic(name, 'points'): (PointCloud2, result_qos) for name in cameras},
        }
        self._publishers = {
            topic: node.create_publisher(kind, topic, qos(), qos_overriding_options=overridable())
            for topic, (kind, qos) in kinds.items()
        }

    def is_wanted(self, topic: str) -> bool:
        """Return whether somebody listens."""
        return bool(self._publishers[topic].get_subscription_count() > 0)

    def publish(self, topic: str, make: Callable[[], Any]) -> None:
        """Publish what ``make`` returns, if somebody listens."""
        if self.is_wanted(topic):
            self._publishers[topic].publish(make())

    def close(self) -> None:
        """Take the topics away."""
        for publisher in self._publishers.values():
            self._node.destroy_publisher(publisher)
        self._publishers.clear()
