"""Energy counters of x86 processors: power from differences, and when there is none."""

from __future__ import annotations

import errno
from pathlib import Path

from espnet_ros.telemetry.discovery import find_sensor
from espnet_ros.telemetry.file_tree import FileTree
from espnet_ros.telemetry.rapl import find_zones, RaplSensor
import pytest

from .boards import FailingFiles, rail_w, write_files

POWERCAP = '/sys/class/powercap'
RANGE_UJ = 262143328850


class Machine:
    """A machine whose counters and clocks a test sets."""

    def __init__(self, root: Path, files: FailingFiles) -> None:
        self.root = root
        self.now_s = 100.0
        self.slept_s = 0.0
        self.set('intel-rapl:0', 'package-0', 12345678901)
        self.set('intel-rapl:0:0', 'core', 5000000000)
        self.set('intel-rapl:0:1', 'dram', 1000000000, 65712999613)
        self.set('intel-rapl:1', 'psys', 40000000000)
        self.set('intel-rapl-mmio:0', 'package-0', 12345678901)
        self.tree = FileTree(root, files)
        self.sensor = RaplSensor(
            self.tree, find_zones(self.tree), lambda: self.now_s, lambda: self.slept_s
        )

    def set(self, zone: str, name: str, energy_uj: int, range_uj: int = RANGE_UJ) -> None:
        write_files(
            self.root,
            f'{POWERCAP}/{zone}',
            name=name,
            energy_uj=energy_uj,
            max_energy_range_uj=range_uj,
        )


@pytest.fixture
def files() -> FailingFiles:
    """Return files that a test can make fail."""
    return FailingFiles()


@pytest.fixture
def machine(tmp_path: Path, files: FailingFiles) -> Machine:
    """Return a server with one package, memory and platform counters."""
    return Machine(tmp_path, files)


def test_total_is_packages_and_their_memory(machine: Machine) -> None:
    machine.now_s += 2.0
    machine.set('intel-rapl:0', 'package-0', 12345678901 + 60_000_000)
    machine.set('intel-rapl:0:0', 'core', 5000000000 + 40_000_000)
    machine.set('intel-rapl:0:1', 'dram', 1000000000 + 8_000_000, 65712999613)
    machine.set('intel-rapl:1', 'psys', 40000000000 + 100_000_000)
    reading = machine.sensor.read()
    assert reading.total_w == pytest.approx(34.0)
    assert reading.energy_j == pytest.approx(68.0)
    assert {rail.name: rail.power_w for rail in reading.rails} == {
        'package-0': pytest.approx(30.0),
        'package-0/core': pytest.approx(20.0),
        'package-0/dram': pytest.approx(4.0),
        'psys': pytest.approx(50.0),
    }


def test_counter_wraps_around(machine: Machine) -> None:
    machine.set('intel-rapl:0', 'package-0', RANGE_UJ - 4_000_000)
    machine.now_s += 1.0
    machine.sensor.read()
    machine.set('intel-rapl:0', 'package-0', 6_000_000)
    machine.now_s += 1.0
    reading = machine.sensor.read()
    assert rail_w(reading, 'package-0') == pytest.approx(10.0)


def test_counter_that_starts_anew_is_no_power(machine: Machine) -> None:
    machine.now_s += 1.0
    machine.set('intel-rapl:0', 'package-0', 0)
    reading = machine.sensor.read()
    assert reading.total_w is None and reading.energy_j is None
    assert 'jumped' in reading.reason
    machine.now_s += 1.0
    machine.set('intel-rapl:0', 'package-0', 7_000_000)
    assert machine.sensor.read().total_w == pytest.approx(7.0)


def test_suspended_machine_tells_no_power_across_its_sleep(machine: Machine) -> None:
    machine.now_s += 1.0
    machine.slept_s += 3600.0
    machine.set('intel-rapl:0', 'package-0', 12345678901 + 5_000_000)
    reading = machine.sensor.read()
    assert reading.total_w is None
    assert 'suspended' in reading.reason
    machine.now_s += 1.0
    machine.set('intel-rapl:0', 'package-0', 12345678901 + 14_000_000)
    assert machine.sensor.read().total_w == pytest.approx(9.0)


def test_clock_that_stands_still_tells_no_power_and_loses_no_energy(machine: Machine) -> None:
    machine.set('intel-rapl:0', 'package-0', 12345678901 + 5_000_000)
    assert machine.sensor.read().total_w is None
    machine.now_s += 1.0
    reading = machine.sensor.read()
    assert (reading.total_w, reading.energy_j) == (pytest.approx(5.0), pytest.approx(5.0))


def test_counter_that_may_have_wrapped_twice_tells_no_power(machine: Machine) -> None:
    machine.now_s += 300.0
    assert machine.sensor.read().total_w is None


def test_denied_counter_tells_how_to_get_the_right(machine: Machine, files: FailingFiles) -> None:
    files.errors['energy_uj'] = errno.EACCES
    machine.now_s += 1.0
    reading = machine.sensor.read()
    assert reading.total_w is None
    assert all(rail.power_w is None for rail in reading.rails)
    assert 'permission denied' in reading.reason and 'chmod' in reading.reason


def test_denied_counter_is_found_and_says_so(tmp_path: Path) -> None:
    machine = Machine(tmp_path, FailingFiles(energy_uj=errno.EACCES))
    sensor = find_sensor('auto', machine.tree)
    assert sensor.kind == 'rapl'
    assert 'chmod' in sensor.read().reason


def test_two_sockets_are_added_by_name(tmp_path: Path) -> None:
    machine = Machine(tmp_path, FailingFiles())
    machine.set('intel-rapl:2', 'package-1', 100)
    sensor = RaplSensor(machine.tree, find_zones(machine.tree), lambda: machine.now_s, lambda: 0.0)
    machine.now_s += 1.0
    machine.set('intel-rapl:2', 'package-1', 100 + 20_000_000)
    assert sensor.read().total_w == pytest.approx(20.0)
    assert sensor.read().source == 'package-0+package-0/dram+package-1'
