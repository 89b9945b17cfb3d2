"""What nodes publish, written into an MCAP file as it was sent."""

from __future__ import annotations

from collections.abc import Callable
import threading
import time
from typing import Any, TYPE_CHECKING

from diagnostic_msgs.msg import DiagnosticArray
from espnet_ros.exceptions import OutputError
from espnet_ros.msg import InferenceStats, LabelSet
from espnet_ros.nodes.ros.qos import latched_qos, result_qos
from geometry_msgs.msg import PolygonStamped
from nav_msgs.msg import OccupancyGrid
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, LaserScan, PointCloud2

if TYPE_CHECKING:
    from espnet_ros.recording.bag_file import BagFile

_OF_CAMERA = {
    'overlay/compressed': CompressedImage,
    'mask': Image,
    'camera_info': CameraInfo,
    'label_set': LabelSet,
    'stats': InferenceStats,
}
_OF_FREE_SPACE = {
    'scan': LaserScan,
    'free_space': PolygonStamped,
    'obstacles': PointCloud2,
    'costmap': OccupancyGrid,
}
_LATCHED = ('label_set', 'costmap')


class TopicRecorder:
    """Subscribes topics and writes their messages, in the thread that spins."""

    def __init__(self, bag: BagFile) -> None:
        self._bag = bag
        self._has_ended = False
        self._lock = threading.Lock()
        self._topics: set[str] = set()

    def follow(self, node: Node, base: str, free_space: str) -> None:
        """Write what a camera's masks are published with, and the free ground beside it."""
        for prefix, kinds in ((base, _OF_CAMERA), (free_space, _OF_FREE_SPACE)):
            for name, kind in kinds.items():
                self._subscribe(node, f'{prefix}/{name}', kind, is_latched=name in _LATCHED)
        self._subscribe(node, '/diagnostics', DiagnosticArray, is_latched=False)

    def stop(self) -> None:
        """Write no more; the file may be closed then."""
        with self._lock:
            self._has_ended = True

    def _subscribe(self, node: Node, topic: str, kind: Any, *, is_latched: bool) -> None:
        if topic in self._topics:
            return
        self._topics.add(topic)
        package, _, _ = kind.__module__.partition('.')
        take = self._writer(node, topic, f'{package}/msg/{kind.__name__}')
        qos = latched_qos() if is_latched else result_qos()
        node.create_subscription(kind, topic, take, qos, raw=True)

    def _writer(self, node: Node, topic: str, message_type: str) -> Callable[[bytes], None]:
        def take(data: bytes) -> None:
            with self._lock:
                if self._has_ended:
                    return
                try:
                    self._bag.write_serialized(topic, message_type, data, time.time_ns())
                except OutputError as error:
                    self._has_ended = True
                    node.get_logger().error(f'the recording ends: {error}')

        return take
