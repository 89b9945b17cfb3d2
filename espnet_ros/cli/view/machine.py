"""Power, temperature and throttling of this machine while something is shown."""

from __future__ import annotations

from pathlib import Path
import time

from espnet_ros.config import PowerSettings
from espnet_ros.monitoring.power_health import PowerSnapshot
from espnet_ros.telemetry.device_state import DeviceMonitor, DeviceState
from espnet_ros.telemetry.discovery import find_sensor
from espnet_ros.telemetry.file_tree import FileTree
from espnet_ros.telemetry.power_sampler import PowerSampler

_MEAN_S = 3.0
_DEVICE_PERIOD_S = 1.0


class Machine:
    """Samples the sensors of this machine for as long as the context lasts."""

    def __init__(self, settings: PowerSettings) -> None:
        tree = FileTree(Path('/'))
        self._monitor = DeviceMonitor(tree)
        self._sampler = PowerSampler(find_sensor(settings.sensor, tree), settings.rate_hz)
        self._device: DeviceState | None = None
        self._read_s = 0.0

    def __enter__(self) -> Machine:
        self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._sampler.stop()
        self._monitor.close()

    def snapshot(self, frames_hz: float | None) -> PowerSnapshot:
        """
        Return the state now.

        :param frames_hz: frames per second, by which the power is divided
        """
        now_s = time.monotonic()
        if now_s - self._read_s >= _DEVICE_PERIOD_S:
            self._device, self._read_s = self._monitor.read(), now_s
        mean_w = self._sampler.window(_MEAN_S).mean_power_w
        frame_j = mean_w / frames_hz if mean_w is not None and frames_hz else None
        return PowerSnapshot.of(self._sampler, self._monitor, self._device, mean_w, frame_j)
