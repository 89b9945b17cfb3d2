"""From the topics of a free space node to the view from above."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from espnet_ros.nodes.ros.messages.stamps import NS_PER_S, stamp_ns
from espnet_ros.nodes.ros.qos import sensor_qos
from espnet_ros.web.live_view import LiveView
from espnet_ros.web.records import Ground, Obstacle
from geometry_msgs.msg import PolygonStamped
import numpy as np
from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import LaserScan, PointCloud2

TOGETHER_S = 0.5
"""What was made of images further apart is not shown together."""
_MOST_OBSTACLES = 200
_KINDS = (('scan', LaserScan), ('free_space', PolygonStamped), ('obstacles', PointCloud2))


class GroundFeed:
    """
    Subscribes a free space node's outputs for as long as somebody looks.

    The node computes them only while somebody listens.

    :param node: subscribes, in its spinning thread
    :param prefix: of the topics, as the free space node is called
    """

    def __init__(self, node: Node, view: LiveView, prefix: str = 'free_space') -> None:
        self._node = node
        self._view = view
        self._prefix = prefix
        self._subscriptions: list[Subscription] = []
        self._newest: dict[str, Any] = {}

    def follow(self, is_wanted: bool) -> None:
        """Subscribe, or leave; does nothing where that is done."""
        if is_wanted and not self._subscriptions:
            for name, kind in _KINDS:
                self._subscriptions.append(
                    self._node.create_subscription(
                        kind, f'{self._prefix}/{name}', self._taker(name), sensor_qos()
                    )
                )
        elif not is_wanted and self._subscriptions:
            for subscription in self._subscriptions:
                self._node.destroy_subscription(subscription)
            self._subscriptions.clear()
            self._newest.clear()

    def _taker(self, name: str) -> Callable[[Any], None]:
        def take(message: Any) -> None:
            self._newest[name] = message
            self._view.put_ground(self._ground())

        return take

    def _current(self, name: str) -> Any | None:
        message = self._newest.get(name)
        if message is None:
            return None
        newest_ns = max(stamp_ns(each.header.stamp) for each in self._newest.values())
        age_ns = newest_ns - stamp_ns(message.header.stamp)
        return message if age_ns <= TOGETHER_S * NS_PER_S else None

    def _ground(self) -> Ground:
        scan, outline = self._current('scan'), self._current('free_space')
        obstacles = self._current('obstacles')
        known = next((m for m in (scan, outline, obstacles) if m is not None), None)
        return Ground(
            outline=() if outline is None else tuple((p.x, p.y) for p in outline.polygon.points),
            hits=() if scan is None else _hits(scan),
            obstacles=() if obstacles is None else _obstacles(obstacles),
            range_m=20.0 if scan is None else float(scan.range_max),
            frame_id='' if known is None else str(known.header.frame_id),
        )


def _hits(scan: LaserScan) -> tuple[tuple[float, float], ...]:
    ranges_m = np.array(scan.ranges, np.float64)
    bearings_rad = scan.angle_min + scan.angle_increment * np.arange(ranges_m.size)
    seen = np.isfinite(ranges_m) & (ranges_m >= scan.range_min) & (ranges_m < scan.range_max)
    points = ranges_m[seen] * np.stack([np.cos(bearings_rad[seen]), np.sin(bearings_rad[seen])])
    return tuple(map(tuple, points.T.tolist()))


def _obstacles(cloud: PointCloud2) -> tuple[Obstacle, ...]:
    """Return the points of ~/obstacles, by the layout that the message tells."""
    offsets = {field.name: field.offset for field in cloud.fields}
    count = cloud.width * cloud.height
    size = cloud.point_step
    if not {'x', 'y', 'class_id'} <= offsets.keys() or len(cloud.data) < count * size:
        return ()
    layout = np.dtype(
        {
            'names': ['x', 'y', 'class_id'],
            'formats': ['<f4', '<f4', 'u1'],
            'offsets': [offsets[name] for name in ('x', 'y', 'class_id')],
            'itemsize': size,
        }
    )
    points = np.frombuffer(bytes(cloud.data), layout, count)[:: max(1, count // _MOST_OBSTACLES)]
    return tuple(
        Obstacle(float(x), float(y), int(class_id))
        for x, y, class_id in points.tolist()
        if np.isfinite((x, y)).all()
    )
