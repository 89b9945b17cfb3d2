"""The command ``power`` on boards, on this machine, and where nothing can be read."""

from __future__ import annotations

from collections.abc import Callable
import json
from pathlib import Path

import pytest

from ..telemetry import boards
from .conftest import Run

AGX_ORIN_RAILS = {
    'VDD_GPU_SOC': 4.781,
    'VDD_CPU_CV': 0.797,
    'VIN_SYS_5V0': 3.522,
    'VDDQ_VDD2_1V8AO': 0.301,
}


@pytest.mark.parametrize(
    ('board', 'name', 'total_w'),
    [
        (boards.tx2, 'Jetson TX2', 5.668),
        (boards.xavier_nx, 'Jetson Xavier NX', 4.401),
        (boards.agx_xavier, 'Jetson AGX Xavier', 4.215),
        (boards.orin_nano, 'Jetson Orin Nano 8GB', 9.250),
        (boards.agx_orin, 'Jetson AGX Orin', 9.100),
        (boards.agx_thor, 'Jetson AGX Thor', 20.986),
    ],
)
def test_json_tells_board_sensor_and_total(
    cli: Run, tmp_path: Path, board: Callable[[Path], None], name: str, total_w: float
) -> None:
    board(tmp_path)
    ended = cli('power', '--json', '--root', tmp_path)
    record = json.loads(ended.out)
    assert ended.code == 0
    assert (record['board'], record['sensor'], record['total_w']) == (name, 'jetson', total_w)


def test_json_tells_every_rail_and_null_for_the_unreadable(cli: Run, tmp_path: Path) -> None:
    boards.agx_orin(tmp_path)
    record = json.loads(cli('power', '--json', '--root', tmp_path).out)
    assert record['rails'] == AGX_ORIN_RAILS
    voltage = tmp_path / f'{boards.HWMON}/1-0040/hwmon/hwmon3/in2_input'.lstrip('/')
    voltage.unlink()
    voltage.mkdir()
    record = json.loads(cli('power', '--json', '--root', tmp_path).out)
    assert record['rails'] == AGX_ORIN_RAILS | {'VDD_CPU_CV': None}
    assert record['total_w'] is None
    assert 'is a directory' in record['unavailable']['VDD_CPU_CV']
    assert 'VDD_CPU_CV' in record['reason']


def test_machine_without_sensor_has_null_everywhere_and_zero_nowhere(
    cli: Run, tmp_path: Path
) -> None:
    ended = cli('power', '--json', '--root', tmp_path)
    record = json.loads(ended.out)
    assert ended.code == 0
    assert record['rails'] == {}
    for key in ('board', 'sensor', 'total_w', 'module_w', 'energy_j'):
        assert record[key] is None
    device = record['device']
    assert device['throttling'] is None
    assert device['cpu_load_percent'] is None and device['gpu_load_percent'] is None
    assert not any(sensor['is_usable'] for sensor in record['sensors'])


def test_table_says_unavailable_and_why(cli: Run, tmp_path: Path) -> None:
    ended = cli('power', '--root', tmp_path)
    assert ended.code == 0
    assert 'unavailable' in ended.out and 'no battery' in ended.out
    assert '0.0' not in ended.out


def test_table_names_rails_and_temperatures(cli: Run, tmp_path: Path) -> None:
    boards.orin_nano(tmp_path)
    out = cli('power', '--root', tmp_path).out
    for words in ('9.250 W', 'VDD_SOC', '2 MAXN_SUPER', 'tj-thermal 49.2', 'Jetson Linux 36.4.3'):
        assert words in out


def test_this_machine_is_read(cli: Run) -> None:
    record = json.loads(cli('power', '--json').out)
    assert 0 <= record['device']['cpu_load_percent'] <= 100
    assert record['device']['memory_used_bytes'] > 0


def test_watch_writes_one_object_a_line(cli: Run, tmp_path: Path) -> None:
    boards.agx_orin(tmp_path)
    ended = cli('power', '--json', '--watch', '--rate', 100, '--seconds', 0.05, '--root', tmp_path)
    records = [json.loads(line) for line in ended.out.splitlines()]
    assert len(records) >= 2
    assert {record['total_w'] for record in records} == {9.1}


def test_watch_ends_with_energy_and_mean(cli: Run, tmp_path: Path) -> None:
    boards.agx_orin(tmp_path)
    out = cli('power', '--watch', '--rate', 100, '--seconds', 0.05, '--root', tmp_path).out
    assert '9.100 W on average' in out.splitlines()[-1]


def test_watch_without_a_sensor_has_no_energy(cli: Run, tmp_path: Path) -> None:
    out = cli('power', '--watch', '--rate', 100, '--seconds', 0.02, '--root', tmp_path).out
    assert out.splitlines()[-1] == 'energy unavailable'


def test_sensor_asked_for_by_name_that_is_not_there_fails(cli: Run, tmp_path: Path) -> None:
    ended = cli('power', '--sensor', 'battery', '--root', tmp_path)
    assert ended.code == 1
    assert 'no battery' in ended.out


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('--root', '/nowhere'), 'expected a folder'),
        (('--sensor', 'dynamo'), 'invalid choice'),
        (('--rate', '0'), 'expected a number above 0'),
        (('--seconds', 'nan'), 'expected a number above 0'),
    ],
)
def test_wrong_usage_is_one_line(cli: Run, arguments: tuple[str, ...], words: str) -> None:
    ended = cli('power', *arguments)
    assert ended.code == 2
    assert words in ended.err and ended.err.count('\n') == 1
