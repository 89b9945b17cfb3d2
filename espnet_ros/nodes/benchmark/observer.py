"""What listens to the nodes of a benchmark; it decodes nothing, so that it takes little."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
import struct
import time

from diagnostic_msgs.msg import DiagnosticArray
from espnet_ros.msg import PowerReading
from espnet_ros.nodes.ros.messages.stamps import NS_PER_S
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile

_DEPTH = 10
_LONGEST_SPIN_S = 0.1


@dataclass
class Arrivals:
    """
    What arrived on one topic.

    :ivar times_ns: when they arrived, by the clock that stamps are of
    """

    stamps_ns: list[int] = field(default_factory=list)
    times_ns: list[int] = field(default_factory=list)

    def ages_ms(self, start_ns: int, end_ns: int) -> list[float]:
        """Return how old the messages were that arrived in a stretch of time."""
        pairs = zip(self.stamps_ns, self.times_ns, strict=True)
        return [(at - stamp) * 1e-6 for stamp, at in pairs if start_ns <= at < end_ns]


def stamp_ns(serialized: bytes) -> int:
    """Return the stamp of a serialised message (CDR) that begins with a header, nanoseconds."""
    order = '<' if serialized[1] & 1 else '>'
    seconds, nanoseconds = struct.unpack_from(f'{order}iI', serialized, 4)
    return int(seconds) * NS_PER_S + int(nanoseconds)


class Observer(Node):  # type: ignore[misc]
    """
    Listens to topics, diagnostics and power readings.

    :param topics: message type by topic
    :param power_topic: of the power readings, or empty

    :ivar diagnostics: everything that was heard, in order
    :ivar power_w: the readings that are known
    :ivar when_arrived: is called with topic and stamp of every message
    """

    def __init__(self, namespace: str, topics: Mapping[str, type], power_topic: str) -> None:
        super().__init__(
            'observer', namespace=namespace, enable_rosout=False, start_parameter_services=False
        )
        self.when_arrived: Callable[[str, int], None] = lambda topic, stamp: None
        self.arrivals = {topic: Arrivals() for topic in topics}
        self.diagnostics: list[DiagnosticArray] = []
        self.power_w: list[float] = []
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)
        for topic, kind in topics.items():
            self._subscribe_raw(kind, topic)
        self.create_subscription(
            DiagnosticArray, '/diagnostics', self.diagnostics.append, QoSProfile(depth=_DEPTH)
        )
        if power_topic:
            self.create_subscription(
                PowerReading, power_topic, self._take_power, QoSProfile(depth=_DEPTH)
            )

    def forget(self) -> None:
        for topic in self.arrivals:
            self.arrivals[topic] = Arrivals()
        self.diagnostics.clear()
        self.power_w.clear()

    def spin_for(self, duration_s: float) -> None:
        self.spin_until(lambda: False, duration_s)

    def spin_until(self, is_done: Callable[[], bool], limit_s: float) -> bool:
        """Listen until something is so or the time is up; return whether it is."""
        end_s = time.monotonic() + limit_s
        while not (done := is_done()) and (left_s := end_s - time.monotonic()) > 0:
            self._executor.spin_once(min(left_s, _LONGEST_SPIN_S))
        return done

    def close(self) -> None:
        self._executor.shutdown()
        self.destroy_node()

    def _subscribe_raw(self, kind: type, topic: str) -> None:
        def take(serialized: bytes) -> None:
            now_ns = time.time_ns()
            stamp = stamp_ns(serialized)
            arrivals = self.arrivals[topic]
            arrivals.stamps_ns.append(stamp)
            arrivals.times_ns.append(now_ns)
            self.when_arrived(topic, stamp)

        self.create_subscription(kind, topic, take, QoSProfile(depth=_DEPTH), raw=True)

    def _take_power(self, reading: PowerReading) -> None:
        if reading.total_w == reading.total_w:  # NaN is not known
            self.power_w.append(float(reading.total_w))
