"""The discharge rate of batteries, and when there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from espnet_ros.telemetry.discovery import find_sensor
from espnet_ros.telemetry.file_tree import FileTree
from espnet_ros.telemetry.power_sensor import NoSensor
import pytest

from .boards import write_files

SUPPLIES = '/sys/class/power_supply'
DISCHARGING = {
    'type': 'Battery',
    'present': 1,
    'status': 'Discharging',
    'voltage_now': 11460000,
    'current_now': 1532000,
    'energy_now': 41200000,
    'capacity': 82,
}


def write_battery(root: Path, name: str = 'BAT0', **changes: Any) -> FileTree:
    write_files(root, f'{SUPPLIES}/{name}', **(DISCHARGING | changes))
    return FileTree(root)


@pytest.mark.parametrize(
    'changes', [{}, {'power_now': 17557000}, {'current_now': -1532000}], ids=str
)
def test_discharging_battery_tells_the_power_of_the_machine(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    reading = find_sensor('auto', write_battery(tmp_path, **changes)).read()
    assert reading.total_w == pytest.approx(17.557, abs=5e-4)
    assert (reading.sensor, reading.scope) == ('battery', 'system')


@pytest.mark.parametrize('status', ['Full', 'Charging', 'Not charging'])
def test_battery_on_mains_tells_nothing(tmp_path: Path, status: str) -> None:
    reading = find_sensor('battery', write_battery(tmp_path, status=status)).read()
    assert reading.total_w is None
    assert 'unplug' in reading.reason


def test_batteries_are_added(tmp_path: Path) -> None:
    write_battery(tmp_path)
    tree = write_battery(tmp_path, 'CMB1', power_now=5000000)
    assert find_sensor('battery', tree).read().total_w == pytest.approx(22.557, abs=5e-4)


def test_battery_that_rests_beside_one_that_discharges_adds_nothing(tmp_path: Path) -> None:
    write_battery(tmp_path)
    tree = write_battery(tmp_path, 'BAT1', status='Not charging')
    assert find_sensor('battery', tree).read().total_w == pytest.approx(17.557, abs=5e-4)


def test_battery_of_a_mouse_is_none_of_the_machine(tmp_path: Path) -> None:
    tree = write_battery(tmp_path, scope='Device')
    assert isinstance(find_sensor('battery', tree), NoSensor)


def test_power_delivery_contract_is_no_measurement(tmp_path: Path) -> None:
    tree = write_battery(tmp_path, 'ucsi-source-psy-1-0008', type='USB')
    assert isinstance(find_sensor('battery', tree), NoSensor)
