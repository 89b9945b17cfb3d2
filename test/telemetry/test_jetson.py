"""The power of every Jetson: totals by the board's rule, rails, and what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
import errno
from pathlib import Path
import shutil
from typing import NamedTuple

from espnet_ros.telemetry.discovery import find_sensor
from espnet_ros.telemetry.file_tree import FileTree
from espnet_ros.telemetry.jetson.board import find_board
from espnet_ros.telemetry.jetson.power import JetsonSensor
from espnet_ros.telemetry.power_sensor import NoSensor, PowerReading
import pytest

from . import boards
from .boards import FailingFiles, rail_w, tree_of

Writer = Callable[[Path], None]

TX2_RAILS = {
    'VDD_SYS_GPU': 0.459,
    'VDD_SYS_SOC': 0.766,
    'VDD_4V0_WIFI': 0.364,
    'VDD_IN': 5.668,
    'VDD_SYS_CPU': 0.459,
    'VDD_SYS_DDR': 0.192,
    'VDD_MUX': 7.689,
    'VDD_5V0_IO_SYS': 1.364,
    'VDD_3V3_SYS': 0.211,
    'VDD_3V3_IO_SLP': 0.0,
    'VDD_1V8_IO': 0.0,
    'VDD_3V3_SYS_M2': 0.0,
}
XAVIER_NX_JETPACK5 = {'VDD_IN': 4.402, 'VDD_CPU_GPU_CV': 0.565, 'VDD_SOC': 1.532}
XAVIER_NX = {'VDD_IN': 4.401, 'VDD_CPU_GPU_CV': 0.565, 'VDD_SOC': 1.532}
AGX_XAVIER = {
    'GPU': 0.0,
    'CPU': 0.468,
    'SOC': 1.249,
    'CV': 0.0,
    'VDDRQ': 0.156,
    'SYS5V': 2.342,
}
ORIN_NANO = {'VDD_IN': 9.250, 'VDD_CPU_GPU_CV': 3.583, 'VDD_SOC': 2.508}
AGX_ORIN = {
    'VDD_GPU_SOC': 4.781,
    'VDD_CPU_CV': 0.797,
    'VIN_SYS_5V0': 3.522,
    'VDDQ_VDD2_1V8AO': 0.301,
}
AGX_THOR = {'VDD_GPU': 0.397, 'VDD_CPU_SOC_MSS': 5.957, 'VIN_SYS_5V0': 5.064, 'VIN': 20.986}
NANO = {'POM_5V_IN': 2.022, 'POM_5V_GPU': 0.040, 'POM_5V_CPU': 0.505}
SUM_OF_SIX = 'GPU+CPU+SOC+CV+VDDRQ+SYS5V'

SUM_OF_THREE = 'VDD_GPU_SOC+VDD_CPU_CV+VIN_SYS_5V0'


class Board(NamedTuple):
    """A board and what a correct reader says of it."""

    write: Writer
    name: str
    total_w: float
    source: str
    rails: dict[str, float]
    scope: str = 'module'


BOARDS = [
    Board(boards.tx2, 'Jetson TX2', 5.668, 'VDD_IN', TX2_RAILS),
    Board(boards.xavier_nx, 'Jetson Xavier NX', 4.401, 'VDD_IN', XAVIER_NX),
    Board(boards.xavier_nx_jetpack5, 'Jetson Xavier NX', 4.402, 'VDD_IN', XAVIER_NX_JETPACK5),
    Board(boards.agx_xavier, 'Jetson AGX Xavier', 4.215, SUM_OF_SIX, AGX_XAVIER),
    Board(boards.orin_nano, 'Jetson Orin Nano 8GB', 9.250, 'VDD_IN', ORIN_NANO),
    Board(boards.agx_orin, 'Jetson AGX Orin', 9.100, SUM_OF_THREE, AGX_ORIN),
    Board(boards.agx_orin_jetpack5, 'Jetson AGX Orin', 9.100, SUM_OF_THREE, AGX_ORIN),
    Board(boards.agx_thor, 'Jetson AGX Thor', 20.986, 'VIN', AGX_THOR, 'board'),
    Board(boards.nano, 'Jetson Nano', 2.022, 'POM_5V_IN', NANO),
]


def read(tree: FileTree) -> PowerReading:
    sensor = find_sensor('auto', tree)
    assert isinstance(sensor, JetsonSensor)
    return sensor.read()


@pytest.mark.parametrize('board', BOARDS, ids=[board.write.__name__ for board in BOARDS])
def test_board_has_its_rails_and_total_to_the_digit(tmp_path: Path, board: Board) -> None:
    tree = tree_of(board.write, tmp_path)
    reading = read(tree)
    assert find_board(tree).name == board.name
    assert reading.total_w == pytest.approx(board.total_w, abs=5e-4)
    assert (reading.source, reading.scope, reading.reason) == (board.source, board.scope, '')
    assert {rail.name for rail in reading.rails} == set(board.rails)
    for rail, power_w in board.rails.items():
        assert rail_w(reading, rail) == pytest.approx(power_w, abs=5e-4), rail


def test_board_is_also_measured_without_a_device_tree(tmp_path: Path) -> None:
    tree = tree_of(boards.agx_orin, tmp_path)
    shutil.rmtree(tmp_path / 'proc')
    assert read(tree).total_w == pytest.approx(9.100, abs=5e-4)
    assert find_board(tree).name is None


def test_thor_tells_the_module_beside_the_whole_kit(tmp_path: Path) -> None:
    assert read(tree_of(boards.agx_thor, tmp_path)).module_w == pytest.approx(11.418, abs=5e-4)


def test_thor_without_its_input_monitor_totals_the_module(tmp_path: Path) -> None:
    tree = tree_of(boards.agx_thor, tmp_path)
    shutil.rmtree(tmp_path / 'sys/bus/i2c/devices/2-0044')
    reading = read(tree)
    assert reading.total_w == pytest.approx(11.418, abs=5e-4)
    assert reading.scope == 'module'


def test_power_of_a_gated_rail_keeps_its_sign(tmp_path: Path) -> None:
    tree = tree_of(boards.agx_thor, tmp_path)
    boards.write_files(tmp_path, f'{boards.THOR}/2-0040/hwmon/hwmon5', curr1_input=-20)
    assert rail_w(read(tree), 'VDD_GPU') == pytest.approx(-0.397, abs=5e-4)


@pytest.mark.parametrize('board', [boards.xavier_nx, boards.agx_xavier, boards.agx_orin])
@pytest.mark.parametrize(
    ('number', 'word'),
    [
        (errno.EACCES, 'permission denied'),
        (errno.EAGAIN, 'sleeps'),
        (errno.ENODATA, 'switched off'),
        (errno.EIO, 'input/output error'),
        (errno.ENOENT, 'not there'),
    ],
)
def test_unreadable_rail_of_the_total_makes_it_unknown_and_never_less(
    tmp_path: Path, board: Writer, number: int, word: str
) -> None:
    files = FailingFiles()
    sensor = find_sensor('auto', tree_of(board, tmp_path, files))
    good = sensor.read()
    first = good.source.partition('+')[0]
    chip = next(rail for rail in sensor._rails if rail.name == first)  # type: ignore[attr-defined]
    files.errors[str(chip.power or chip.voltage)] = number
    reading = sensor.read()
    assert reading.total_w is None
    assert rail_w(reading, first) is None
    assert word in reading.reason and first in reading.reason
    assert sum(rail.power_w is None for rail in reading.rails) == 1
    assert ('chmod' in reading.reason) == (number == errno.EACCES)
    files.errors.clear()
    assert sensor.read().total_w == good.total_w


def test_unreadable_rail_outside_the_total_leaves_the_total(tmp_path: Path) -> None:
    files = FailingFiles(curr2_input=errno.EIO)
    reading = read(tree_of(boards.orin_nano, tmp_path, files))
    assert rail_w(reading, 'VDD_CPU_GPU_CV') is None
    assert reading.total_w == pytest.approx(9.250, abs=5e-4)


@pytest.mark.parametrize('content', ['', 'garbage', '\0', '0x1131', 'nan'])
def test_broken_value_is_unknown(tmp_path: Path, content: str) -> None:
    sensor = find_sensor('jetson', tree_of(boards.xavier_nx, tmp_path))
    path = tmp_path / f'{boards.IIO}/7-0040/iio:device0/in_power0_input'.lstrip('/')
    path.write_text(content)
    reading = sensor.read()
    assert reading.total_w is None
    assert 'expected a number' in reading.reason


def test_value_that_cannot_be_true_is_unknown(tmp_path: Path) -> None:
    tree = tree_of(boards.xavier_nx, tmp_path)
    folder = f'{boards.IIO}/7-0040/iio:device0'
    boards.write_files(tmp_path, folder, in_power0_input=4294967295)
    reading = read(tree)
    assert reading.total_w is None
    assert 'cannot be true' in reading.reason


def test_value_that_jumps_is_told_as_it_is(tmp_path: Path) -> None:
    tree = tree_of(boards.xavier_nx, tmp_path)
    sensor = find_sensor('jetson', tree)
    for power_mw in (4401, 14800, 0, 5000):
        boards.write_files(tmp_path, f'{boards.IIO}/7-0040/iio:device0', in_power0_input=power_mw)
        assert sensor.read().total_w == pytest.approx(power_mw / 1000)


def test_rail_that_vanishes_returns_under_another_number(tmp_path: Path) -> None:
    sensor = find_sensor('jetson', tree_of(boards.orin_nano, tmp_path))
    folder = tmp_path / f'{boards.HWMON}/1-0040/hwmon/hwmon1'.lstrip('/')
    away = tmp_path / 'away'
    folder.rename(away)
    gone = sensor.read()
    assert gone.total_w is None
    assert [rail.power_w for rail in gone.rails] == [None, None, None]
    away.rename(folder.with_name('hwmon7'))
    sensor.read()
    assert sensor.read().total_w == pytest.approx(9.250, abs=5e-4)


def test_chip_that_is_seen_twice_counts_once(tmp_path: Path) -> None:
    tree = tree_of(boards.agx_orin, tmp_path)
    folder = tmp_path / f'{boards.HWMON}/1-0040/hwmon/hwmon3'.lstrip('/')
    classes = tmp_path / 'sys/class/hwmon'
    classes.mkdir(parents=True)
    (classes / 'hwmon3').symlink_to(folder)
    reading = read(tree)
    assert len(reading.rails) == 4
    assert reading.total_w == pytest.approx(9.100, abs=5e-4)


def test_unknown_set_of_rails_has_no_total(tmp_path: Path) -> None:
    boards.write_hwmon(tmp_path, '1-0040/hwmon/hwmon1', ('VDD_NEW', 5000, 100))
    sensor = find_sensor('jetson', FileTree(tmp_path))
    reading = sensor.read()
    assert reading.total_w is None
    assert 'VDD_NEW' in reading.reason
    assert rail_w(reading, 'VDD_NEW') == pytest.approx(0.5)


def test_machine_without_any_sensor_says_why(tmp_path: Path) -> None:
    sensor = find_sensor('auto', FileTree(tmp_path))
    assert isinstance(sensor, NoSensor)
    reading = sensor.read()
    assert reading.total_w is None and reading.energy_j is None and not reading.rails
    for kind in ('jetson', 'nvml', 'rapl', 'battery'):
        assert f'{kind}: ' in reading.reason


def test_other_arm_boards_are_no_jetson(tmp_path: Path) -> None:
    boards.write_device_tree(tmp_path, 'raspberrypi,5-model-b', model='Raspberry Pi 5')
    board = find_board(FileTree(tmp_path))
    assert not board.is_jetson
    assert board.name == 'Raspberry Pi 5'


def test_board_is_known_by_chip_id_without_a_device_tree(tmp_path: Path) -> None:
    boards.write_files(tmp_path, '/sys/module/tegra_fuse/parameters', tegra_chip_id=35)
    assert find_board(FileTree(tmp_path)).soc == 'tegra234'
