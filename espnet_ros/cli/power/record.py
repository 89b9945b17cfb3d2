"""Power readings and the machine's state as JSON."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timezone

from espnet_ros.benchmark.result import rounded
from espnet_ros.telemetry.device_state import DeviceState
from espnet_ros.telemetry.discovery import board_name
from espnet_ros.telemetry.file_tree import Quantity
from espnet_ros.telemetry.jetson.board import Board
from espnet_ros.telemetry.power_sensor import NoSensor, PowerReading, PowerSensor


def describe(
    board: Board,
    sensor: PowerSensor,
    reading: PowerReading,
    state: DeviceState,
    sensors: dict[str, str] | None = None,
) -> dict[str, object]:
    """
    Return a reading as JSON; null stands for what cannot be read.

    :param sensors: why each kind of sensor cannot be read, empty for those that can
    """
    record: dict[str, object] = {
        'board': board_name(board, sensor),
        'sensor': None if isinstance(sensor, NoSensor) else reading.sensor,
        'scope': None if isinstance(sensor, NoSensor) else reading.scope,
        'source': reading.source or None,
        'total_w': rounded(reading.total_w),
        'module_w': rounded(reading.module_w),
        'energy_j': rounded(reading.energy_j),
        'rails': {rail.name: rounded(rail.power_w) for rail in reading.rails},
        'unavailable': {rail.name: rail.reason for rail in reading.rails if rail.reason},
        'reason': reading.reason or None,
        'time': datetime.now(timezone.utc).isoformat(timespec='milliseconds'),
        'device': describe_state(state),
    }
    if sensors is not None:
        record['sensors'] = [
            {'kind': kind, 'is_usable': not problem, 'reason': problem or None}
            for kind, problem in sensors.items()
        ]
    return record


def describe_state(state: DeviceState) -> dict[str, object]:
    quantities = {
        entry.name: value
        for entry in fields(state)
        if isinstance(value := getattr(state, entry.name), Quantity)
    }
    record: dict[str, object] = {
        name: rounded(quantity.value, 1) for name, quantity in quantities.items()
    }
    mode = state.power_mode
    return record | {
        'core_loads_percent': {k: rounded(v, 1) for k, v in state.core_loads_percent.items()},
        'gpu_clocks_locked': state.gpu_clocks_locked,
        'temperatures_c': state.temperatures_c,
        'throttling': state.throttling,
        'over_current_events': state.over_current_events,
        'power_mode': None if mode is None else {'id': mode.mode_id, 'name': mode.name},
        'unavailable': {name: q.reason for name, q in quantities.items() if q.value is None},
    }
