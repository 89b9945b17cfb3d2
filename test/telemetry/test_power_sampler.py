"""The sampling thread: it reads, survives, ends, and costs little."""

from __future__ import annotations

from pathlib import Path
import threading
import time

from espnet_ros.telemetry.discovery import find_sensor
from espnet_ros.telemetry.power_sampler import PowerSampler
from espnet_ros.telemetry.power_sensor import NoSensor, PowerReading, PowerSensor
import pytest
from time_limits import message_limit_s

from . import boards
from .boards import tree_of


class Scripted(PowerSensor):
    """A sensor whose readings a test gives."""

    kind = 'scripted'
    scope = 'module'

    def __init__(self, *totals: float | Exception | None) -> None:
        self._totals = list(totals)
        self.is_closed = False

    def read(self) -> PowerReading:
        total = self._totals.pop(0) if len(self._totals) > 1 else self._totals[0]
        if isinstance(total, Exception):
            raise total
        return PowerReading(time.monotonic(), self.kind, self.scope, 'VDD_IN', total)

    def close(self) -> None:
        self.is_closed = True


class Collected:
    """Readings, and a signal once there are enough."""

    def __init__(self, count: int) -> None:
        self.readings: list[PowerReading] = []
        self._count = count
        self._enough = threading.Event()

    def __call__(self, reading: PowerReading) -> None:
        self.readings.append(reading)
        if len(self.readings) >= self._count:
            self._enough.set()

    def wait(self) -> None:
        assert self._enough.wait(message_limit_s())


def test_readings_come_until_the_context_ends_and_the_sensor_is_closed() -> None:
    collected, sensor = Collected(5), Scripted(8.0)
    with PowerSampler(sensor, 200.0, collected) as sampler:
        collected.wait()
        assert sampler.latest is not None
        window = sampler.window(collected.readings[4].time_s - collected.readings[0].time_s)
    assert sensor.is_closed
    assert not any(thread.name == 'power sampler' for thread in threading.enumerate())
    assert window.mean_power_w == pytest.approx(8.0)
    assert sampler.meter.total_j is not None


def test_sensor_that_raises_does_not_end_the_sampling(
    caplog: pytest.LogCaptureFixture,
) -> None:
    collected = Collected(2)
    with PowerSampler(Scripted(7.0, RuntimeError('broken'), 7.0), 200.0, collected):
        collected.wait()
    assert 'a power reading failed' in caplog.text


def test_machine_without_sensor_is_sampled_as_unknown() -> None:
    collected = Collected(3)
    with PowerSampler(NoSensor('no sensor'), 200.0, collected) as sampler:
        collected.wait()
    assert sampler.meter.total_j is None
    assert sampler.window(1.0).energy_j is None
    assert collected.readings[0].reason == 'no sensor'


def test_slow_rate_does_not_delay_the_end() -> None:
    started_s = time.monotonic()
    with PowerSampler(Scripted(8.0), 0.01):
        pass
    assert time.monotonic() - started_s < 50.0


def test_overhead_is_counted_in_the_sampling_thread(tmp_path: Path) -> None:
    collected = Collected(3)
    sensor = find_sensor('jetson', tree_of(boards.agx_orin, tmp_path))
    with PowerSampler(sensor, 100.0, collected) as sampler:
        collected.wait()
        assert 0 < sampler.overhead < 1
