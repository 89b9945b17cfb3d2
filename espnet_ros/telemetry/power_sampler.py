"""A thread that reads a power sensor at a rate and keeps the energy."""

from __future__ import annotations

from collections.abc import Callable
import logging
import threading
import time

from espnet_ros.telemetry.energy import EnergyMeter, EnergyWindow
from espnet_ros.telemetry.power_sensor import PowerReading, PowerSensor

logger = logging.getLogger(__name__)

_GAP_PERIODS = 3.0


class PowerSampler:
    """
    Reads a sensor at a rate, for as long as the context lasts.

    :param rate_hz: readings per second; more than the hardware makes are repeats
    :param on_reading: called with every reading, in the sampling thread
    :param kept_s: how far back energy windows may reach, in seconds
    """

    def __init__(
        self,
        sensor: PowerSensor,
        rate_hz: float,
        on_reading: Callable[[PowerReading], None] | None = None,
        *,
        kept_s: float = 60.0,
    ) -> None:
        self.sensor = sensor
        self.meter = EnergyMeter(kept_s)
        self._period_s = 1.0 / rate_hz
        self._on_reading = on_reading
        self._stop = threading.Event()
        self._latest: PowerReading | None = None
        self._started_s = time.monotonic()
        self._busy_s = 0.0
        self._thread = threading.Thread(target=self._run, name='power sampler')

    @property
    def latest(self) -> PowerReading | None:
        return self._latest

    @property
    def overhead(self) -> float:
        """Return the share of one core that sampling takes, 0 to 1."""
        return self._busy_s / max(time.monotonic() - self._started_s, 1e-9)

    def window(self, duration_s: float) -> EnergyWindow:
        """
        Return the energy of the last seconds.

        They end at the latest reading, so what is not read yet leaves no hole.
        """
        latest = self._latest
        end_s = time.monotonic() if latest is None else latest.time_s
        return self.meter.window(end_s - duration_s, end_s)

    def start(self) -> None:
        self._started_s = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the sensor."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        self.sensor.close()

    def __enter__(self) -> PowerSampler:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        next_s = time.monotonic()
        while not self._stop.is_set():
            started_s, busy_s = time.monotonic(), time.thread_time()
            try:
                self._sample(started_s)
            except Exception:
                # The outermost frame of the thread: telemetry must not end for one reading.
                logger.exception('a power reading failed')
            self._busy_s += time.thread_time() - busy_s
            # Readings that were missed are not made up for.
            next_s = max(next_s + self._period_s, time.monotonic())
            self._stop.wait(next_s - time.monotonic())

    def _sample(self, started_s: float) -> None:
        reading = self.sensor.read()
        took_s = time.monotonic() - started_s
        self.meter.add(reading, _GAP_PERIODS * max(self._period_s, took_s))
        self._latest = reading
        if self._on_reading is not None:
            self._on_reading(reading)
