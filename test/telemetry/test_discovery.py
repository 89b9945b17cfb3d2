"""Which sensor is taken where several are, or where rights are missing."""

from __future__ import annotations

from collections.abc import Callable
import errno
from pathlib import Path
import sys

from espnet_ros.telemetry.discovery import find_sensor, find_sensors
from espnet_ros.telemetry.file_tree import FileTree
from espnet_ros.telemetry.power_sensor import KINDS, NoSensor
import pytest

from . import boards
from .boards import FailingFiles, write_files
from .fake_nvml import Card, FakeNvml


class ThisMachine(FileTree):
    """A file tree that is taken for the running machine's."""

    @property
    def is_this_machine(self) -> bool:
        """Return that it is."""
        return True


@pytest.fixture
def graphics(monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
    """Give the machine an NVIDIA card."""
    fake = FakeNvml([Card()])
    monkeypatch.setitem(sys.modules, 'pynvml', fake)
    return fake


def write_rapl(root: Path) -> None:
    write_files(
        root,
        '/sys/class/powercap/intel-rapl:0',
        name='package-0',
        energy_uj=1000,
        max_energy_range_uj=262143328850,
    )


def write_battery(root: Path) -> None:
    folder = '/sys/class/power_supply/BAT1'
    write_files(root, folder, type='Battery', status='Discharging', power_now=17557000)


def write_amdgpu(root: Path) -> None:
    """Write an AMD card of the newer kind."""
    write_files(root, '/sys/class/hwmon/hwmon3', name='amdgpu', power1_input=45000000)


@pytest.mark.parametrize(
    ('write', 'kind'),
    [
        (boards.agx_orin, 'jetson'),
        (write_rapl, 'rapl'),
        (write_amdgpu, 'amdgpu'),
        (write_battery, 'battery'),
    ],
)
def test_only_sensor_is_taken(tmp_path: Path, write: Callable[[Path], None], kind: str) -> None:
    write(tmp_path)
    assert find_sensor('auto', FileTree(tmp_path)).kind == kind


def test_card_and_processor_are_added_and_not_called_the_system(
    tmp_path: Path, graphics: FakeNvml
) -> None:
    write_rapl(tmp_path)
    write_battery(tmp_path)
    sensor = find_sensor('auto', ThisMachine(tmp_path))
    assert (sensor.kind, sensor.scope) == ('nvml+rapl', 'gpu+cpu')
    sensor.close()
    assert not graphics.is_open


@pytest.mark.usefixtures('graphics')
def test_processor_without_the_right_to_it_leaves_the_card(tmp_path: Path) -> None:
    write_rapl(tmp_path)
    tree = ThisMachine(tmp_path, FailingFiles(energy_uj=errno.EACCES))
    assert find_sensor('auto', tree).kind == 'nvml'


@pytest.mark.usefixtures('graphics')
def test_rails_of_a_jetson_come_before_its_nvml(tmp_path: Path) -> None:
    boards.agx_thor(tmp_path)
    assert find_sensor('auto', ThisMachine(tmp_path)).kind == 'jetson'


def test_sensor_that_can_be_read_comes_before_one_that_cannot(tmp_path: Path) -> None:
    write_rapl(tmp_path)
    write_battery(tmp_path)
    tree = FileTree(tmp_path, FailingFiles(energy_uj=errno.EACCES))
    assert find_sensor('auto', tree).kind == 'battery'


def test_amd_card_tells_its_power(tmp_path: Path) -> None:
    write_amdgpu(tmp_path)
    reading = find_sensor('amdgpu', FileTree(tmp_path)).read()
    assert (reading.total_w, reading.scope) == (45.0, 'gpu')
    write_files(tmp_path, '/sys/class/hwmon/hwmon3', power1_average=30000000)
    assert find_sensor('amdgpu', FileTree(tmp_path)).read().total_w == 30.0


def test_every_kind_is_there_or_says_why_not(tmp_path: Path) -> None:
    sensors = find_sensors(FileTree(tmp_path))
    assert tuple(sensors) == KINDS
    assert all(isinstance(s, NoSensor) and s.problem() for s in sensors.values())


def test_switched_off_is_no_sensor(tmp_path: Path) -> None:
    boards.agx_orin(tmp_path)
    sensor = find_sensor('none', FileTree(tmp_path))
    assert (sensor.kind, sensor.read().reason) == ('none', 'switched off')
