"""The command ``bench``: what it measures, what it says of what it cannot measure."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from espnet_ros.benchmark import gpu_clocks, nsight
from espnet_ros.cli.bench.plot import check_plot, choose_axes
from espnet_ros.exceptions import ConfigError, RuntimeUnavailableError
from espnet_ros.telemetry.file_tree import FileTree
import pytest

from ..telemetry import boards
from .conftest import Run

SHORT = ('--trials', 6, '--warm-up', 2, '--rounds', 2, '--size', '16,32', '--threads', 1)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Return the files of a machine without any sensor."""
    root = tmp_path / 'bare'
    root.mkdir()
    return root


def test_json_holds_protocol_latency_and_size(
    cli: Run, channel_model_path: Path, bare: Path
) -> None:
    ended = cli('bench', f'{channel_model_path}@onnxruntime', *SHORT, '--json', '--root', bare)
    assert ended.code == 0, ended.err
    record = json.loads(ended.out)
    assert record['protocol'] | {'image': ''} == {
        'batch': 1,
        'size': [16, 32],
        'trials': 6,
        'warm_up': 2,
        'rounds': 2,
        'image': '',
    }
    (result,) = record['results']
    assert (result['runtime'], result['precision'], result['trials']) == ('onnxruntime', 'fp32', 6)
    latency = result['latency_ms']
    assert 0 < latency['min'] <= latency['p50'] <= latency['p99']
    assert result['fps'] == pytest.approx(1000 / latency['mean'], rel=0.01)
    assert 0 < result['inference_ms']['mean'] < latency['mean']
    assert len(result['warm_up_ms']) == 2
    assert result['file_bytes'] == channel_model_path.stat().st_size
    assert result['memory_peak_bytes'] > 0


def test_machine_without_a_sensor_has_null_and_no_zero(
    cli: Run, channel_model_path: Path, bare: Path
) -> None:
    record = json.loads(
        cli('bench', f'{channel_model_path}@onnxruntime', *SHORT, '--json', '--root', bare).out
    )
    (result,) = record['results']
    for key in (
        'power_w',
        'power_above_idle_w',
        'energy_per_frame_j',
        'fps_per_w',
        'gpu_load_percent',
        'temperature_max_c',
        'throttling',
        'over_current_events',
    ):
        assert result[key] is None, key
    machine = record['machine']
    assert (machine['sensor'], machine['idle_w'], machine['source']) == (None, None, None)
    assert 'no power sensor was found' in machine['reason']


def test_board_adds_power_and_energy_above_idle(
    cli: Run, channel_model_path: Path, tmp_path: Path
) -> None:
    boards.orin_nano(tmp_path)
    trials = ('--trials', 400, '--warm-up', 2, '--rounds', 1, '--size', '256,512')
    # A reading may come 0.6 s late, three periods, before there is a hole in the energy.
    power = ('--rate', 5, '--idle', 0.3, '--root', tmp_path)
    ended = cli('bench', f'{channel_model_path}@onnxruntime', *trials, *power, '--json')
    assert ended.code == 0, ended.err
    record = json.loads(ended.out)
    (result,) = record['results']
    assert record['machine']['idle_w'] == pytest.approx(9.25, abs=1e-3)
    machine = record['machine']
    assert machine['board'] == 'Jetson Orin Nano 8GB'
    assert (machine['power_mode'], machine['gpu_clocks_locked']) == ('2 MAXN_SUPER', False)
    assert machine['temperature_start_c'] == machine['temperature_end_c'] == 49.2
    assert result['over_current_events'] == {'oc1': 0, 'oc2': 0, 'oc3': 0}
    assert result['power_w'] == pytest.approx(9.25, abs=1e-3)
    assert result['power_above_idle_w'] == pytest.approx(0.0, abs=1e-3)
    assert result['fps_per_w'] * result['energy_per_frame_j'] == pytest.approx(1.0, rel=0.05)


def test_table_shows_contenders_side_by_side(
    cli: Run, channel_model_path: Path, bare: Path, tmp_path: Path
) -> None:
    models = [f'{channel_model_path}@{way}' for way in ('onnxruntime', 'openvino:fp32')]
    file = tmp_path / 'bench.json'
    ended = cli('bench', *models, *SHORT, '--json', file, '--root', bare)
    assert ended.code == 0, ended.err
    assert 'channels onnxruntime fp32' in ended.out and 'channels openvino fp32' in ended.out
    assert 'unavailable: W' in ended.out
    assert 'first frame' in ended.out
    results = json.loads(file.read_text())['results']
    assert min(result['times_faster'] for result in results) == 1.0


def test_ways_to_resize_are_measured_side_by_side(
    cli: Run, channel_model_path: Path, bare: Path
) -> None:
    models = [f'{channel_model_path}@onnxruntime:{way}' for way in ('host', 'device')]
    ended = cli('bench', *models, *SHORT, '--size', '64,96', '--json', '--root', bare)
    assert ended.code == 0, ended.err
    results = json.loads(ended.out)['results']
    assert [result['resize'] for result in results] == ['host', 'device']
    assert [result['name'] for result in results] == [
        'channels onnxruntime fp32',
        'channels onnxruntime fp32, resized on the device',
    ]


def test_plot_is_drawn(cli: Run, channel_model_path: Path, bare: Path, tmp_path: Path) -> None:
    pytest.importorskip('matplotlib', reason="no matplotlib: pip install '.[plot]'")
    picture = tmp_path / 'cost.png'
    model = f'{channel_model_path}@onnxruntime'
    ended = cli('bench', model, *SHORT, '--plot', picture, '--root', bare)
    assert ended.code == 0, ended.err
    assert picture.read_bytes()[:4] == b'\x89PNG'


def test_axis_that_nothing_is_known_of_is_refused() -> None:
    result = SimpleNamespace(
        power=SimpleNamespace(power_w=None),
        info=SimpleNamespace(file_bytes=1),
        fps=2.0,
        accuracy_percent=None,
    )
    results: list[Any] = [result]
    assert choose_axes('auto', results) == ('size', 'fps')
    for text in ('power,fps', 'size,accuracy'):
        with pytest.raises(ConfigError, match='plot-axes'):
            choose_axes(text, results)
    pytest.importorskip('matplotlib', reason="no matplotlib: pip install '.[plot]'")
    for text in ('size', 'fps,size'):
        with pytest.raises(ConfigError, match='plot-axes'):
            check_plot(text, Path('a.png'))


@pytest.mark.parametrize(
    ('arguments', 'code', 'words'),
    [
        (('nowhere.onnx',), 1, 'nowhere.onnx'),
        (('auto@vax',), 2, 'expected MODEL@RUNTIME:PRECISION'),
        (('--trials', '0'), 2, 'expected a whole number above 0'),
        (('--root', '/nowhere'), 2, 'expected a folder'),
        (('auto@onnxruntime', '--runtime', 'openvino'), 2, 'behind the @ or as options'),
        (('a', 'b', '--node'), 2, 'expected one model'),
        (('--device-ms', '5'), 2, 'expected --node'),
        (('auto@openvino', '--node', '--device-ms', '5'), 2, 'found openvino'),
        (('--node', '--outputs', 'mask,masc'), 2, 'found masc'),
        (('--node', '--camera-rate', '-1'), 2, 'expected a number of 0 or more'),
        (('--node', '--free-space', '--free-space-only'), 2, 'not allowed with'),
        (('--node', '--free-space', '--image', 'a.png'), 2, 'expected the rendered street'),
        (('--image', '/nowhere.png'), 1, '/nowhere.png'),
    ],
)
def test_wrong_usage_is_one_line(
    cli: Run, arguments: tuple[str, ...], code: int, words: str
) -> None:
    ended = cli('bench', *arguments)
    assert (ended.code, ended.err.count('\n')) == (code, 1), ended.err
    assert words in ended.err


def test_help_imports_no_heavy_library(cli: Run) -> None:
    assert '--peers' in cli('bench', '--help').out


CLOCKS = '/sys/class/devfreq/17000000.ga10b'


def test_clocks_are_fixed_and_freed(tmp_path: Path) -> None:
    boards.write_files(tmp_path, CLOCKS, min_freq=306000000, max_freq=918000000)
    folder = tmp_path / CLOCKS.lstrip('/')

    def limits() -> list[int]:
        return [int((folder / name).read_text()) for name in ('min_freq', 'max_freq')]

    with gpu_clocks.GpuClockLock(FileTree(tmp_path)) as lock:
        for clock_mhz in (408, 714):
            lock.fix(clock_mhz)
            assert limits() == [clock_mhz * 10**6] * 2
    assert limits() == [306000000, 918000000]


def test_clocks_that_may_not_be_set_are_told_how_to(tmp_path: Path) -> None:
    folder = boards.write_files(tmp_path, CLOCKS, cur_freq=1)
    for name in ('min_freq', 'max_freq'):
        (folder / name).mkdir()
    lock = gpu_clocks.GpuClockLock(FileTree(tmp_path))
    with pytest.raises(RuntimeUnavailableError, match='sudo tee'):
        lock.fix(408)


def test_machine_without_a_clock_says_so(cli: Run, channel_model_path: Path, bare: Path) -> None:
    ended = cli(
        'bench', f'{channel_model_path}@onnxruntime', *SHORT, '--gpu-clocks', '1,2', '--root', bare
    )
    assert ended.code == 1
    assert 'nvidia-smi -lgc' in ended.err


@pytest.mark.parametrize('text', ['824', '824,x', '0,824', '824,824'])
def test_clocks_are_two_different_numbers(text: str) -> None:
    with pytest.raises(ConfigError, match='gpu-clocks'):
        gpu_clocks.parse_clocks(text)


def test_sensitivity_is_one_where_time_follows_the_clock() -> None:
    assert gpu_clocks.sensitivity({800: 0.10, 1000: 0.10}) == pytest.approx(0.0)
    assert gpu_clocks.sensitivity({800: 0.10, 1200: 0.05}) == pytest.approx(1.0)


NCU = """==PROF== Connected
"ID","Kernel Name","gpu__time_duration.sum","smsp__thread_inst_executed_per_inst_executed.ratio"
"","","nsecond","inst"
"0","conv","3,000","32"
"1","add","1,000","16"
"2","none","1,000","n/a"
"""


def test_efficiency_is_weighed_by_the_time_of_the_kernels() -> None:
    found = nsight.parse(NCU)
    assert found is not None
    assert found['warp_execution_efficiency'] == pytest.approx(87.5)
    assert found['global_load_efficiency'] is None
    assert nsight.parse('==ERROR== no kernels were profiled') is None


def test_machine_without_nsight_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nsight.shutil, 'which', lambda _: None)
    info = SimpleNamespace(runtime='torch', precision='fp32', resize='host')
    found = nsight.profile(info, 'auto', (512, 1024))  # type: ignore[arg-type]
    assert found['warp_execution_efficiency'] is None
    assert found['reason'] == 'Nsight Compute (ncu) is not installed'
