"""Tells what sensors a machine has, and what they read."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
import json
import threading
import time

from espnet_ros.cli import _exit
from espnet_ros.cli._console import OUT
from espnet_ros.cli.jobs._power_record import describe
from espnet_ros.cli.jobs._power_view import energy_line, power_line, power_view
from espnet_ros.exceptions import ConfigError
from espnet_ros.telemetry.device_state import DeviceMonitor
from espnet_ros.telemetry.discovery import find_sensor, find_sensors
from espnet_ros.telemetry.energy import EnergyMeter
from espnet_ros.telemetry.file_tree import FileTree
from espnet_ros.telemetry.power_sensor import PowerReading, PowerSensor
from rich.live import Live

_BETWEEN_S = 0.5
_GAP_PERIODS = 3.0


def run(arguments: argparse.Namespace) -> int:
    """Read the sensors of ``arguments.root``; return the exit code."""
    if not arguments.root.is_dir():
        raise ConfigError(f'--root {arguments.root}: expected a folder, found none')
    tree = FileTree(arguments.root)
    with ExitStack() as stack:
        sensor = find_sensor(arguments.sensor, tree)
        stack.callback(sensor.close)
        monitor = DeviceMonitor(tree)
        stack.callback(monitor.close)
        if arguments.watch:
            reading = _watch(arguments, sensor, monitor)
        else:
            reading = _read_once(arguments, tree, sensor, monitor)
    asked_in_vain = arguments.sensor != 'auto' and reading.total_w is None
    return _exit.FAILED if asked_in_vain else _exit.DONE


def _read_once(
    arguments: argparse.Namespace, tree: FileTree, sensor: PowerSensor, monitor: DeviceMonitor
) -> PowerReading:
    if tree.is_this_machine:
        # Loads and energy counters tell something over a while only.
        time.sleep(_BETWEEN_S)
    reading, state = sensor.read(), monitor.read()
    if arguments.json:
        sensors = {kind: _problem(found) for kind, found in find_sensors(tree).items()}
        print(json.dumps(describe(monitor.board, sensor, reading, state, sensors), indent=2))
    else:
        OUT.print(power_view(monitor.board, sensor, reading, state))
    return reading


def _problem(sensor: PowerSensor) -> str:
    """Return why a sensor cannot be read, empty where it can, and close it."""
    try:
        return sensor.problem()
    finally:
        sensor.close()


def _watch(
    arguments: argparse.Namespace, sensor: PowerSensor, monitor: DeviceMonitor
) -> PowerReading:
    """Show reading after reading until the time is over or Ctrl-C; return the latest."""
    meter = EnergyMeter()
    start_s = time.monotonic()
    pause = threading.Event()
    reading = sensor.read()
    live = None
    if OUT.is_terminal and not arguments.json:
        live = Live(console=OUT, auto_refresh=False)
    try:
        with live or ExitStack():
            while True:
                state = monitor.read()
                meter.add(reading, _GAP_PERIODS / arguments.rate + 1.0)
                if arguments.json:
                    record = describe(monitor.board, sensor, reading, state)
                    print(json.dumps(record), flush=True)
                elif live is None:
                    print(power_line(reading, state), flush=True)
                else:
                    view = power_view(monitor.board, sensor, reading, state)
                    live.update(view, refresh=True)
                if arguments.seconds and time.monotonic() - start_s >= arguments.seconds:
                    break
                pause.wait(1.0 / arguments.rate)
                reading = sensor.read()
    except KeyboardInterrupt:  # the way to end it, not a failure
        pass
    if not arguments.json:
        OUT.print(energy_line(meter, time.monotonic() - start_s))
    return reading
