"""The power sensors of a machine."""

from __future__ import annotations

from collections.abc import Callable
import logging
import shutil

from espnet_ros.telemetry.amdgpu import AmdgpuSensor, find_amdgpus
from espnet_ros.telemetry.battery import BatterySensor, find_batteries
from espnet_ros.telemetry.combined import CombinedSensor
from espnet_ros.telemetry.file_tree import FileTree
from espnet_ros.telemetry.jetson.board import Board, find_board
from espnet_ros.telemetry.jetson.power import JetsonSensor
from espnet_ros.telemetry.jetson.rails import find_rails
from espnet_ros.telemetry.jetson.tegrastats import TegrastatsSensor
from espnet_ros.telemetry.nvml import NvmlSensor, open_nvml
from espnet_ros.telemetry.power_sensor import KINDS, NoSensor, PowerSensor
from espnet_ros.telemetry.rapl import find_zones, RaplSensor

logger = logging.getLogger(__name__)

_ELSEWHERE = 'only on the running machine, not in a copy of its files'
_INTERVAL_MS = '1000'


def find_sensor(kind: str, tree: FileTree) -> PowerSensor:
    """
    Return a sensor of a kind.

    :param kind: one of :data:`KINDS`, ``auto`` for what tells most of the machine's power,
        or ``none``
    :return: the sensor, which the caller closes; :class:`NoSensor`, which says why, where
        there is none
    """
    if kind == 'none':
        return NoSensor('switched off')
    sensor = _find_best(tree) if kind == 'auto' else _FINDERS[kind](tree)
    logger.info('power sensor %s%s', sensor.kind, _words(sensor))
    return sensor


def find_sensors(tree: FileTree) -> dict[str, PowerSensor]:
    """Return the sensor of every kind, or why there is none; the caller closes them."""
    return {kind: _FINDERS[kind](tree) for kind in KINDS}


def _words(sensor: PowerSensor) -> str:
    return f': {sensor.reason}' if isinstance(sensor, NoSensor) else f', {sensor.scope}'


def _find_best(tree: FileTree) -> PowerSensor:
    """Return the first sensor that can be read, else the first whose reason can be told."""
    sensors = find_sensors(tree)
    there = {kind: s for kind, s in sensors.items() if not isinstance(s, NoSensor)}
    readable = [kind for kind, sensor in there.items() if not sensor.problem()]
    if readable[:2] == ['nvml', 'rapl']:
        best: PowerSensor = CombinedSensor((there.pop('nvml'), there.pop('rapl')))
    elif there:
        best = there.pop(readable[0] if readable else next(iter(there)))
    else:
        reasons = '; '.join(f'{k}: {s.problem()}' for k, s in sensors.items())
        best = NoSensor(f'no power sensor was found ({reasons})')
    for sensor in there.values():
        sensor.close()
    return best


def _find_jetson(tree: FileTree) -> PowerSensor:
    rails = find_rails(tree)
    return JetsonSensor(tree, rails) if rails else NoSensor('no INA3221 power monitor')


def _find_tegrastats(tree: FileTree) -> PowerSensor:
    if not find_board(tree).is_jetson:
        return NoSensor('not a Jetson')
    if find_rails(tree):
        return NoSensor('not needed, as the power monitors are there as files')
    if not tree.is_this_machine:
        return NoSensor(_ELSEWHERE)
    program = shutil.which('tegrastats')
    if program is None:
        return NoSensor('tegrastats is not installed, or not mounted into this container')
    return TegrastatsSensor((program, '--interval', _INTERVAL_MS))


def _find_nvml(tree: FileTree) -> PowerSensor:
    if not tree.is_this_machine:
        return NoSensor(_ELSEWHERE)
    nvml, reason = open_nvml()
    return NoSensor(reason) if nvml is None else NvmlSensor(nvml)


def _find_rapl(tree: FileTree) -> PowerSensor:
    zones = find_zones(tree)
    if any(zone.is_counted for zone in zones):
        return RaplSensor(tree, zones)
    return NoSensor('no energy counters of a processor (virtual machines have none)')


def _find_amdgpu(tree: FileTree) -> PowerSensor:
    files = find_amdgpus(tree)
    return AmdgpuSensor(tree, files) if files else NoSensor('no AMD graphics')


def _find_battery(tree: FileTree) -> PowerSensor:
    batteries = find_batteries(tree)
    return BatterySensor(tree, batteries) if batteries else NoSensor('no battery')


_FINDERS: dict[str, Callable[[FileTree], PowerSensor]] = {
    'jetson': _find_jetson,
    'tegrastats': _find_tegrastats,
    'nvml': _find_nvml,
    'rapl': _find_rapl,
    'amdgpu': _find_amdgpu,
    'battery': _find_battery,
}


def board_name(board: Board, sensor: PowerSensor) -> str | None:
    """Return the name of the board, told by its rails where nothing else tells it."""
    if board.name is None and isinstance(sensor, JetsonSensor):
        return sensor.board
    return board.name
