"""Power readings and the machine's state as tables on the console."""

from __future__ import annotations

import time

from espnet_ros.cli.console import UNAVAILABLE
from espnet_ros.telemetry.device_state import DeviceState
from espnet_ros.telemetry.discovery import board_name
from espnet_ros.telemetry.energy import EnergyMeter
from espnet_ros.telemetry.file_tree import Quantity
from espnet_ros.telemetry.jetson.board import Board
from espnet_ros.telemetry.power_sensor import PowerReading, PowerSensor
from rich.table import Table
from rich.text import Text

_GIB = 1 << 30


def power_view(
    board: Board, sensor: PowerSensor, reading: PowerReading, state: DeviceState
) -> Table:
    """Return everything that is known of one moment."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style='dim', no_wrap=True)
    table.add_column(justify='right', no_wrap=True)
    table.add_column(overflow='fold')
    release = f'Jetson Linux {board.release}' if board.release else ''
    table.add_row('board', Text(board_name(board, sensor) or 'unknown'), release)
    _add_power(table, reading)
    table.add_row()
    _add_state(table, state)
    return table


def power_line(reading: PowerReading, state: DeviceState) -> str:
    """Return the most of a moment in one line, for what is no terminal."""
    parts = [f'{time.strftime("%H:%M:%S")} {_watts(reading.total_w)}']
    parts += [f'{rail.name} {_watts(rail.power_w)}' for rail in reading.rails]
    parts.append(f'CPU {_number(state.cpu_load_percent, 1.0, "%")}')
    parts.append(f'GPU {_number(state.gpu_load_percent, 1.0, "%")}')
    return ', '.join(parts)


def energy_line(meter: EnergyMeter, duration_s: float) -> Text:
    """Return the energy of a watch and its mean power in words."""
    if meter.total_j is None:
        return Text(f'energy {UNAVAILABLE}')
    mean_w = meter.total_j / max(meter.covered_s, 1e-9)
    return Text(f'{meter.total_j:.1f} J in {duration_s:.1f} s, {mean_w:.3f} W on average')


def _add_power(table: Table, reading: PowerReading) -> None:
    formed = f'{reading.scope}: {reading.source}' if reading.source else ''
    table.add_row('sensor', reading.sensor, formed)
    total = Text(_watts(reading.total_w), style='bold' if reading.total_w is not None else '')
    table.add_row('total', total, Text(reading.reason, style='yellow'))
    if reading.module_w is not None:
        table.add_row('module', _watts(reading.module_w), '')
    for rail in reading.rails:
        table.add_row(f'  {rail.name}', _watts(rail.power_w), Text(rail.reason, style='yellow'))


def _add_state(table: Table, state: DeviceState) -> None:
    rows = [
        ('CPU load', state.cpu_load_percent, 1.0, '%'),
        ('CPU clock', state.cpu_clock_hz, 1e-6, 'MHz'),
        ('GPU load', state.gpu_load_percent, 1.0, '%'),
        ('GPU clock', state.gpu_clock_hz, 1e-6, 'MHz'),
        ('GPU clock, highest', state.gpu_max_clock_hz, 1e-6, 'MHz'),
        ('memory used', state.memory_used_bytes, 1 / _GIB, 'GiB'),
        ('memory', state.memory_total_bytes, 1 / _GIB, 'GiB'),
    ]
    for name, quantity, factor, unit in rows:
        table.add_row(name, _number(quantity, factor, unit), Text(quantity.reason, style='dim'))
    hottest = sorted(state.temperatures_c.items(), key=lambda entry: -entry[1])
    temperatures = ', '.join(f'{name} {value:.1f}' for name, value in hottest)
    table.add_row(
        'temperature', f'{hottest[0][1]:.1f} °C' if hottest else UNAVAILABLE, Text(temperatures)
    )
    throttled = UNAVAILABLE
    if state.throttling is not None:
        throttled = 'yes' if state.throttling else 'no'
    table.add_row('throttled', throttled, Text(', '.join(state.throttling or ()), style='red'))
    if state.over_current_events:
        events = ', '.join(f'{k} {v}' for k, v in state.over_current_events.items())
        total = str(sum(state.over_current_events.values()))
        table.add_row('over-current events', total, f'since the start: {events}')
    if state.power_mode is not None:
        table.add_row('power mode', str(state.power_mode), '')


def _watts(power_w: float | None) -> str:
    return UNAVAILABLE if power_w is None else f'{power_w:.3f} W'


def _number(quantity: Quantity, factor: float, unit: str) -> str:
    if quantity.value is None:
        return UNAVAILABLE
    return f'{quantity.value * factor:.{1 if unit != "MHz" else 0}f} {unit}'
