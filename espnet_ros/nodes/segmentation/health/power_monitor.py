"""Power and the machine's state while the node is configured: sampled, published, diagnosed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
import math
from pathlib import Path
import threading
import time

from espnet_ros.config import PowerSettings
from espnet_ros.monitoring.load_shedder import LoadShedder
from espnet_ros.monitoring.power_health import PowerSnapshot
from espnet_ros.monitoring.rates import RateMeter
from espnet_ros.msg import PowerReading as PowerMessage
from espnet_ros.nodes.ros.qos import create_publisher, result_qos
from espnet_ros.nodes.segmentation.health.stats import nan_if_unknown
from espnet_ros.telemetry.device_state import DeviceMonitor, DeviceState
from espnet_ros.telemetry.discovery import find_sensor
from espnet_ros.telemetry.file_tree import FileTree
from espnet_ros.telemetry.power_sampler import PowerSampler
from espnet_ros.telemetry.power_sensor import PowerReading
from rclpy.node import Node

ROOT = Path('/')
MEAN_S = 3.0
DEVICE_PERIOD_S = 1.0  # of the state of the machine, and of decisions on its load
OVER_CURRENT_S = 10.0


class PowerMonitor:
    """
    Samples power and the machine's state in a thread, and publishes ``~/power``.

    :param on_limit: called when the rate that the load is held below changes
    """

    def __init__(
        self, node: Node, settings: Callable[[], PowerSettings], on_limit: Callable[[], None]
    ) -> None:
        self._node = node
        self._settings = settings
        self._on_limit = on_limit
        self._lock = threading.Lock()
        self._batches = RateMeter(MEAN_S)
        self._batch_size = 1
        self._shedder = LoadShedder()
        self._device: DeviceState | None = None
        self._device_read_s = -math.inf
        self._over_current: deque[tuple[float, str]] = deque()
        tree = FileTree(ROOT)
        start = settings()
        self._publisher = create_publisher(node, PowerMessage, '~/power', result_qos())
        self._monitor = DeviceMonitor(tree)
        self._sampler = PowerSampler(find_sensor(start.sensor, tree), start.rate_hz, self._take)
        self._sampler.start()

    @property
    def limit_hz(self) -> float:
        """Return the rate of inference that is not to be exceeded, 0 for none."""
        return self._shedder.limit_hz

    def count_batch(self, size: int) -> None:
        """Count a batch of frames whose masks were published."""
        with self._lock:
            self._batches.add(time.monotonic())
            self._batch_size = size

    def mean_w(self) -> float | None:
        return self._sampler.window(MEAN_S).mean_power_w

    def frame_energy_j(self, mean_w: float | None) -> float | None:
        with self._lock:
            rate_hz = self._batches.rate_hz(time.monotonic())
            if mean_w is None or not rate_hz:
                return None
            return mean_w / (rate_hz * self._batch_size)

    def snapshot(self) -> PowerSnapshot:
        oldest_s, mean_w = time.monotonic() - OVER_CURRENT_S, self.mean_w()
        with self._lock:
            while self._over_current and self._over_current[0][0] < oldest_s:
                self._over_current.popleft()
            recent = tuple(sorted({name for _, name in self._over_current}))
        frame_j = self.frame_energy_j(mean_w)
        return replace(
            PowerSnapshot.of(self._sampler, self._monitor, self._device, mean_w, frame_j),
            recent_over_current=recent,
            shed_rate_hz=self._shedder.limit_hz,
        )

    def close(self) -> None:
        """End the thread and take the topic away."""
        self._sampler.stop()
        self._monitor.close()
        self._node.destroy_publisher(self._publisher)

    def _take(self, reading: PowerReading) -> None:
        """Take a reading, in the sampling thread."""
        if not self._node.context.ok():  # ROS was shut down under it
            return
        if self._publisher.get_subscription_count():
            self._publisher.publish(self._to_message(reading))
        now_s = time.monotonic()
        if now_s - self._device_read_s >= DEVICE_PERIOD_S:
            self._device_read_s = now_s
            self._read_device(now_s)
            self._shed(now_s)

    def _read_device(self, now_s: float) -> None:
        before = self._device.over_current_events if self._device else {}
        self._device = self._monitor.read()
        events = self._device.over_current_events
        risen = [name for name, count in events.items() if count > before.get(name, 0)]
        with self._lock:
            self._over_current.extend((now_s, name) for name in risen)

    def _shed(self, now_s: float) -> None:
        settings = self._settings()
        if settings.shed_load:
            with self._lock:
                rate_hz = self._batches.rate_hz(now_s)
            changed = self._shedder.update(now_s, self.snapshot().load(settings), rate_hz)
        else:
            changed = bool(self._shedder.limit_hz)
            self._shedder.reset()
        if changed:
            limit_hz = self._shedder.limit_hz
            words = f'held below {limit_hz:.2f} Hz' if limit_hz else 'not held back any more'
            self._node.get_logger().warning(f'power and temperature: inference is {words}')
            self._on_limit()

    def _to_message(self, reading: PowerReading) -> PowerMessage:
        message = PowerMessage(
            board=self._monitor.board.name or '',
            sensor=reading.sensor,
            scope=reading.scope,
            source=reading.source,
            total_w=nan_if_unknown(reading.total_w),
            rail_names=[rail.name for rail in reading.rails],
            rail_w=[nan_if_unknown(rail.power_w) for rail in reading.rails],
            energy_j=nan_if_unknown(self._sampler.meter.total_j),
            reason=reading.reason,
        )
        message.header.stamp = self._node.get_clock().now().to_msg()
        return message
