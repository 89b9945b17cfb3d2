"""Load, clocks, temperatures, throttling, mode and memory of boards and PCs."""

from __future__ import annotations

import errno
from pathlib import Path

from espnet_ros.telemetry.device_state import DeviceMonitor
from espnet_ros.telemetry.file_tree import FileTree
import pytest

from . import boards
from .boards import FailingFiles, tree_of, write_files

STAT = """cpu  100 0 100 800 0 0 0 0 0 0
cpu0 {busy0} 0 0 {idle0} 0 0 0 0 50 0
cpu1 100 0 0 100 {wait1} 0 0 0 0 0
intr 1"""


def write_stat(root: Path, busy0: int, idle0: int, wait1: int = 0) -> None:
    """Write the times of two cores."""
    write_files(root, '/proc', stat=STAT.format(busy0=busy0, idle0=idle0, wait1=wait1))


def test_orin_nano_tells_its_state(tmp_path: Path) -> None:
    monitor = DeviceMonitor(tree_of(boards.orin_nano, tmp_path))
    state = monitor.read()
    assert state.gpu_load_percent.value == 0.0
    assert state.gpu_clock_hz.value == 305e6
    assert state.gpu_max_clock_hz.value == 1020e6
    assert state.gpu_clocks_locked is False
    assert str(state.power_mode) == '2 MAXN_SUPER'
    assert state.over_current_events == {'oc1': 0, 'oc2': 0, 'oc3': 0}
    assert monitor.board.name == 'Jetson Orin Nano 8GB'
    assert monitor.board.release == '36.4.3'


def test_tx2_tells_its_load_and_real_temperatures(tmp_path: Path) -> None:
    state = DeviceMonitor(tree_of(boards.tx2, tmp_path)).read()
    assert state.gpu_load_percent.value == pytest.approx(45.5)
    assert state.hottest_c == 30.0
    assert 'PMIC-Die' not in state.temperatures_c
    assert state.power_mode is None


def test_thor_has_a_clock_and_no_load_rather_than_zero(tmp_path: Path) -> None:
    state = DeviceMonitor(tree_of(boards.agx_thor, tmp_path)).read()
    assert state.gpu_clock_hz.value == 315e6
    assert state.gpu_load_percent.value is None
    assert 'no load file' in state.gpu_load_percent.reason
    assert state.gpu_clocks_locked is None


def test_sleeping_zones_are_left_out(tmp_path: Path) -> None:
    files = FailingFiles(**{'thermal_zone1/temp': errno.EAGAIN})
    state = DeviceMonitor(tree_of(boards.orin_nano, tmp_path, files)).read()
    assert set(state.temperatures_c) == {
        'cpu-thermal',
        'soc0-thermal',
        'soc1-thermal',
        'soc2-thermal',
        'tj-thermal',
    }
    assert state.hottest_c == pytest.approx(49.156)


def test_over_current_events_count_from_the_start(tmp_path: Path) -> None:
    monitor = DeviceMonitor(tree_of(boards.orin_nano, tmp_path))
    write_files(tmp_path, '/sys/class/hwmon/hwmon2', oc3_event_cnt=20)
    assert monitor.read().over_current_events['oc3'] == 6


def test_only_thermal_alerts_are_throttling(tmp_path: Path) -> None:
    devices = [('pwm-fan', 3), ('cpu-throttle-alert', 0), ('gpu-throttle-alert', 1)]
    for n, (kind, state) in enumerate(devices):
        folder = f'/sys/class/thermal/cooling_device{n}'
        write_files(tmp_path, folder, type=kind, cur_state=state)
    assert DeviceMonitor(FileTree(tmp_path)).read().throttling == ('gpu-throttle-alert',)


def test_cpu_load_is_that_between_two_readings(tmp_path: Path) -> None:
    write_stat(tmp_path, 100, 100)
    monitor = DeviceMonitor(FileTree(tmp_path))
    assert monitor.read().cpu_load_percent.value is None
    write_stat(tmp_path, 175, 125, wait1=100)
    state = monitor.read()
    assert state.core_loads_percent == {'cpu0': 75.0, 'cpu1': 0.0}
    assert state.cpu_load_percent.value == 37.5


def test_cores_that_were_switched_off_are_left_out(tmp_path: Path) -> None:
    write_stat(tmp_path, 100, 100)
    monitor = DeviceMonitor(FileTree(tmp_path))
    write_files(tmp_path, '/proc', stat='cpu 1 1 1 1\ncpu0 150 0 0 150 0 0 0 0 0 0')
    assert monitor.read().core_loads_percent == {'cpu0': 50.0}


def test_memory_is_what_is_not_available(tmp_path: Path) -> None:
    text = 'MemTotal: 8000 kB\nMemFree: 100 kB\nMemAvailable: 6000 kB'
    write_files(tmp_path, '/proc', meminfo=text)
    state = DeviceMonitor(FileTree(tmp_path)).read()
    assert state.memory_used_bytes.value == 2000 * 1024
    assert state.memory_total_bytes.value == 8000 * 1024


def test_mean_clock_of_the_cores_is_told_in_hertz(tmp_path: Path) -> None:
    for core, clock_khz in enumerate((1000000, 2000000)):
        folder = f'/sys/devices/system/cpu/cpu{core}/cpufreq'
        write_files(tmp_path, folder, scaling_cur_freq=clock_khz)
    assert DeviceMonitor(FileTree(tmp_path)).read().cpu_clock_hz.value == 1.5e9


def test_temperatures_of_a_pc_come_from_its_cpu_chip(tmp_path: Path) -> None:
    folder = '/sys/class/hwmon/hwmon10'
    write_files(tmp_path, folder, name='coretemp', temp1_input=51000, temp1_label='Package')
    write_files(tmp_path, '/sys/class/hwmon/hwmon9', name='iwlwifi', temp1_input=77000)
    state = DeviceMonitor(FileTree(tmp_path)).read()
    assert state.temperatures_c == {'coretemp Package': 51.0}


def test_machine_that_tells_nothing_has_no_zeros(tmp_path: Path) -> None:
    state = DeviceMonitor(FileTree(tmp_path)).read()
    for quantity in (
        state.cpu_load_percent,
        state.gpu_load_percent,
        state.gpu_clock_hz,
        state.memory_used_bytes,
    ):
        assert quantity.value is None and quantity.reason
    assert state.hottest_c is None


def test_locked_clocks_are_seen(tmp_path: Path) -> None:
    folder = '/sys/class/devfreq/17000000.ga10b'
    write_files(tmp_path, folder, cur_freq=1, min_freq=918000000, max_freq=918000000)
    assert DeviceMonitor(FileTree(tmp_path)).read().gpu_clocks_locked is True
