"""Tells what sensors a machine has, and what they read."""

from __future__ import annotations

from contextlib import ExitStack
import json
import threading
import time

from espnet_ros.cli import exit_codes
from espnet_ros.cli.console import OUT, say_json
from espnet_ros.cli.power.options import Options
from espnet_ros.cli.power.record import describe
from espnet_ros.cli.power.view import energy_line, power_line, power_view
from espnet_ros.exceptions import ConfigError
from espnet_ros.telemetry.device_state import DeviceMonitor
from espnet_ros.telemetry.discovery import find_sensor, find_sensors
from espnet_ros.telemetry.energy import EnergyMeter
from espnet_ros.telemetry.file_tree import FileTree
from espnet_ros.telemetry.power_sensor import PowerReading, PowerSensor
from rich.live import Live

_BETWEEN_S = 0.5
_GAP_PERIODS = 3.0


def run(options: Options) -> int:
    if not options.root.is_dir():
        raise ConfigError(f'--root {options.root}: expected a folder, found none')
    tree = FileTree(options.root)
    with ExitStack() as stack:
        sensor = find_sensor(options.sensor, tree)
        stack.callback(sensor.close)
        monitor = DeviceMonitor(tree)
        stack.callback(monitor.close)
        if options.watch:
            reading = _watch(options, sensor, monitor)
        else:
            reading = _read_once(options, tree, sensor, monitor)
    is_missing = options.sensor != 'auto' and reading.total_w is None
    return exit_codes.FAILED if is_missing else exit_codes.DONE


def _read_once(
    options: Options, tree: FileTree, sensor: PowerSensor, monitor: DeviceMonitor
) -> PowerReading:
    if tree.is_this_machine:
        # Loads and energy counters tell something over a while only.
        time.sleep(_BETWEEN_S)
    reading, state = sensor.read(), monitor.read()
    if options.json:
        sensors = {kind: _problem(found) for kind, found in find_sensors(tree).items()}
        say_json(describe(monitor.board, sensor, reading, state, sensors))
    else:
        OUT.print(power_view(monitor.board, sensor, reading, state))
    return reading


def _problem(sensor: PowerSensor) -> str:
    """Return why a sensor cannot be read, empty where it can, and close it."""
    try:
        return sensor.problem()
    finally:
        sensor.close()


def _watch(options: Options, sensor: PowerSensor, monitor: DeviceMonitor) -> PowerReading:
    """Show reading after reading until the time is over or Ctrl-C; return the latest."""
    meter = EnergyMeter()
    start_s = time.monotonic()
    pause = threading.Event()
    reading = sensor.read()
    live = None
    if OUT.is_terminal and not options.json:
        live = Live(console=OUT, auto_refresh=False)
    try:
        with live or ExitStack():
            while True:
                state = monitor.read()
                meter.add(reading, _GAP_PERIODS / options.rate + 1.0)
                if options.json:
                    record = describe(monitor.board, sensor, reading, state)
                    print(json.dumps(record), flush=True)
                elif live is None:
                    print(power_line(reading, state), flush=True)
                else:
                    view = power_view(monitor.board, sensor, reading, state)
                    live.update(view, refresh=True)
                if options.seconds and time.monotonic() - start_s >= options.seconds:
                    break
                pause.wait(1.0 / options.rate)
                reading = sensor.read()
    except KeyboardInterrupt:  # the way to end it, not a failure
        pass
    if not options.json:
        OUT.print(energy_line(meter, time.monotonic() - start_s))
    return reading
