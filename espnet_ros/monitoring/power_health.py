"""
What the power and the state of the machine mean for the user: levels, words and numbers.

Nothing here knows ROS.
"""

from __future__ import annotations

from dataclasses import dataclass
import time

from espnet_ros.config import PowerSettings
from espnet_ros.monitoring.health import Level, number, Status, UNAVAILABLE
from espnet_ros.telemetry.device_state import DeviceMonitor, DeviceState
from espnet_ros.telemetry.file_tree import Quantity
from espnet_ros.telemetry.power_sampler import PowerSampler
from espnet_ros.telemetry.power_sensor import PowerReading

_BUDGET_ERROR = 1.25
_TEMPERATURE_ERROR_C = 10.0
_OLD_PERIODS = 5.0
_OLD_S = 3.0
_HZ_PER_MHZ = 1e6


@dataclass(frozen=True)
class PowerSnapshot:
    """
    Power and machine at one moment; what is not known is None.

    :param mean_w: mean power of the last seconds
    :param energy_j: since the node was configured
    :param overhead: share of one core that sampling takes
    :param recent_over_current: names of the over-current counters that rose lately
    :param shed_rate_hz: rate that the load is held below, 0 for none
    """

    board: str | None
    reading: PowerReading | None
    age_s: float | None
    mean_w: float | None
    energy_j: float | None
    frame_energy_j: float | None
    overhead: float
    device: DeviceState | None
    recent_over_current: tuple[str, ...] = ()
    shed_rate_hz: float = 0.0

    @classmethod
    def of(
        cls,
        sampler: PowerSampler,
        monitor: DeviceMonitor,
        device: DeviceState | None,
        mean_w: float | None,
        frame_energy_j: float | None,
    ) -> PowerSnapshot:
        """Return the state now of what samples the power and of the machine."""
        reading = sampler.latest
        return cls(
            monitor.board.name,
            reading,
            None if reading is None else time.monotonic() - reading.time_s,
            mean_w,
            sampler.meter.total_j,
            frame_energy_j,
            sampler.overhead,
            device,
        )

    def load(self, settings: PowerSettings) -> float | None:
        """Return what is used of the limit that is nearest, or None where none is known."""
        loads = []
        if settings.budget_w and self.mean_w is not None:
            loads.append(self.mean_w / settings.budget_w)
        hottest_c = self.device.hottest_c if self.device else None
        if settings.max_temperature_c and hottest_c is not None:
            loads.append(hottest_c / settings.max_temperature_c)
        return max(loads, default=None)


def diagnose_power(snapshot: PowerSnapshot | None, settings: PowerSettings, state: str) -> Status:
    """
    Diagnose whether the power is within its budget.

    :param snapshot: None while the node is not configured
    :param state: of the node, for that case
    """
    if snapshot is None or snapshot.reading is None:
        message = f'not read while {state}' if snapshot is None else 'no reading yet'
        return Status('power', Level.OK, message, {'power_total_w': UNAVAILABLE})
    reading = snapshot.reading
    frames_per_joule = 1 / snapshot.frame_energy_j if snapshot.frame_energy_j else None
    values = {
        'sensor': reading.sensor,
        'scope': reading.scope,
        'source': reading.source or UNAVAILABLE,
        'power_total_w': number(reading.total_w, 3),
        'power_mean_w': number(snapshot.mean_w, 3),
        'budget_w': number(settings.budget_w or None),
        'energy_j': number(snapshot.energy_j, 1),
        'energy_per_frame_j': number(snapshot.frame_energy_j, 3),
        'frames_per_joule': number(frames_per_joule, 3),
        'reading_age_s': number(snapshot.age_s),
        'sampling_core_percent': number(100 * snapshot.overhead),
        'shed_rate_hz': number(snapshot.shed_rate_hz or None),
    }
    values |= {f'rail_{rail.name}_w': number(rail.power_w, 3) for rail in reading.rails}
    return Status('power', *_power_level(snapshot, reading, settings), values)


def diagnose_device(snapshot: PowerSnapshot | None, settings: PowerSettings, state: str) -> Status:
    """Diagnose whether the machine is hot, throttled or short of memory; see diagnose_power."""
    if snapshot is None or snapshot.device is None:
        message = f'not read while {state}' if snapshot is None else 'no reading yet'
        return Status('device', Level.OK, message, {})
    device = snapshot.device
    throttling = UNAVAILABLE
    if device.throttling is not None:
        throttling = ', '.join(device.throttling) or 'none'
    values = {
        'board': snapshot.board or UNAVAILABLE,
        'cpu_load_percent': _shown(device.cpu_load_percent),
        'cpu_clock_mhz': _shown(device.cpu_clock_hz, 1 / _HZ_PER_MHZ),
        'gpu_load_percent': _shown(device.gpu_load_percent),
        'gpu_clock_mhz': _shown(device.gpu_clock_hz, 1 / _HZ_PER_MHZ),
        'gpu_max_clock_mhz': _shown(device.gpu_max_clock_hz, 1 / _HZ_PER_MHZ),
        'memory_used_percent': number(_memory_percent(device), 1),
        'temperature_max_c': number(device.hottest_c, 1),
        'max_temperature_c': number(settings.max_temperature_c or None, 1),
        'throttling': throttling,
        'power_mode': UNAVAILABLE if device.power_mode is None else str(device.power_mode),
    }
    values |= {f'temperature_{k}_c': number(v, 1) for k, v in device.temperatures_c.items()}
    values |= {
        f'over_current_{name}_events': str(count)
        for name, count in device.over_current_events.items()
    }
    return Status('device', *_device_level(snapshot, device, settings), values)


def _power_level(
    snapshot: PowerSnapshot, reading: PowerReading, settings: PowerSettings
) -> tuple[Level, str]:
    limit_s = max(_OLD_S, _OLD_PERIODS / settings.rate_hz)
    if snapshot.age_s is not None and snapshot.age_s > limit_s:
        return Level.WARN, f'no reading for {snapshot.age_s:.1f} s'
    if reading.total_w is None:
        # A machine without a sensor is in order, unless the settings need one.
        is_needed = settings.budget_w or settings.sensor not in ('auto', 'none')
        return (Level.WARN if is_needed else Level.OK), f'{UNAVAILABLE}: {reading.reason}'
    message = f'{reading.total_w:.2f} W ({reading.scope})'
    mean_w, budget_w = snapshot.mean_w, settings.budget_w
    if budget_w and mean_w is not None and mean_w > budget_w:
        message = f'{mean_w:.2f} W, expected {budget_w:g} or less{_shedding(snapshot)}'
        return (Level.ERROR if mean_w > _BUDGET_ERROR * budget_w else Level.WARN), message
    if snapshot.shed_rate_hz:
        return Level.WARN, message + _shedding(snapshot)
    return Level.OK, message


def _shedding(snapshot: PowerSnapshot) -> str:
    if not snapshot.shed_rate_hz:
        return ''
    return f'; inference is held below {snapshot.shed_rate_hz:.2f} Hz'


def _device_level(
    snapshot: PowerSnapshot, device: DeviceState, settings: PowerSettings
) -> tuple[Level, str]:
    hottest_c, limit_c = device.hottest_c, settings.max_temperature_c
    is_hot = bool(limit_c) and hottest_c is not None and hottest_c > limit_c
    if hottest_c is not None and is_hot:
        is_far = hottest_c > limit_c + _TEMPERATURE_ERROR_C
        message = f'{hottest_c:.0f} degrees Celsius, expected {limit_c:g} or less'
        if device.throttling:
            message += f'; throttled: {", ".join(device.throttling)}'
        return (Level.ERROR if is_far or device.throttling else Level.WARN), message
    if device.throttling:
        return Level.WARN, f'throttled: {", ".join(device.throttling)}'
    if snapshot.recent_over_current:
        names = ', '.join(snapshot.recent_over_current)
        return Level.WARN, f'over-current events ({names}) halve the clocks for moments'
    return Level.OK, 'within its limits'


def _memory_percent(device: DeviceState) -> float | None:
    used, total = device.memory_used_bytes.value, device.memory_total_bytes.value
    return None if used is None or not total else 100 * used / total


def _shown(quantity: Quantity, factor: float = 1.0) -> str:
    return number(None if quantity.value is None else quantity.value * factor, 1)
