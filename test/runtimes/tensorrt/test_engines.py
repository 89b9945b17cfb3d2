"""Engines on disk and in the making: what may go wrong, and what happens then."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
import signal
import threading
import time

from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import (
    BuildCancelled,
    ConfigError,
    InferenceError,
    ModelError,
    OutputError,
)
from espnet_ros.runtimes.build_watch import BuildWatch
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.runtimes.tensorrt import cache as cache_module
from espnet_ros.runtimes.tensorrt.cache import EngineCache
from espnet_ros.runtimes.tensorrt.cuda import Cuda
from fake_tensorrt.board import as_model_file, make_network
from fake_tensorrt.library import VERSIONS
import onnx
import pytest


class Builds:
    """Counts builds by the progress that they report."""

    def __init__(self) -> None:
        self.progress: list = []
        self.stop = threading.Event()
        self.watch = BuildWatch(self.progress.append, self.stop.is_set)


@pytest.fixture
def builds():
    return Builds()


def open_once(board, model, builds, **arguments) -> None:
    board.runtime(model, watch=builds.watch, **arguments).open()
    board.runtimes[-1].close()


def was_built(caplog) -> bool:
    """Return whether an engine was built since the log was last cleared."""
    found = 'engine built in' in caplog.text
    caplog.clear()
    return found


@pytest.fixture(autouse=True)
def _story(caplog):
    caplog.set_level(logging.INFO)


def test_an_engine_is_built_once(board, brightest, builds, caplog):
    board.use_process()
    open_once(board, brightest, builds)
    assert was_built(caplog)
    open_once(board, brightest, builds)
    assert not was_built(caplog)


def test_force_rebuild_builds_again(board, brightest, builds, caplog):
    open_once(board, brightest, builds)
    caplog.clear()
    open_once(board, brightest, builds, force_rebuild=True)
    assert was_built(caplog)


@pytest.mark.parametrize(
    'change',
    [
        {'precision': 'fp32'},
        {'batch_size': 2},
        {'workspace_mb': 64},
        {'optimization_level': 1},
        {'resize': 'host'},
        {'resize': 'device', 'image_size': (32, 64)},
        {'engine_confidence': False},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_setting_has_an_engine_of_its_own(board, brightest, builds, caplog, change):
    open_once(board, brightest, builds)
    caplog.clear()
    open_once(board, brightest, builds, **change)
    assert was_built(caplog)
    assert len(board.engines()) == 2


def test_another_tensorrt_gets_an_engine_of_its_own(board, brightest, builds, caplog):
    open_once(board, brightest, builds)
    caplog.clear()
    board.use_version('10.16')
    open_once(board, brightest, builds)
    assert was_built(caplog)


def test_another_network_of_the_same_name_gets_an_engine_of_its_own(board, builds, caplog):
    open_once(board, as_model_file(make_network()), builds)
    caplog.clear()
    other = make_network()
    weight = onnx.numpy_helper.to_array(other.graph.initializer[1]) / 2
    other.graph.initializer[1].CopyFrom(onnx.numpy_helper.from_array(weight, 'copy'))
    open_once(board, as_model_file(other), builds)
    assert was_built(caplog)


@pytest.mark.parametrize('keep', [0, 10, -1], ids=['empty', 'cut off', 'one byte short'])
def test_a_truncated_engine_is_deleted_and_built_again(board, brightest, builds, caplog, keep):
    open_once(board, brightest, builds)
    caplog.clear()
    path = board.engines()[0]
    path.write_bytes(path.read_bytes()[:keep])
    open_once(board, brightest, builds)
    assert 'it is deleted and built again' in caplog.text
    assert was_built(caplog)


def test_an_engine_that_does_not_load_is_deleted_and_built_again(board, brightest, builds, caplog):
    board.monkeypatch.setenv('FAKE_TENSORRT_CAPABILITY', '7.2')
    open_once(board, brightest, builds)
    caplog.clear()
    board.monkeypatch.delenv('FAKE_TENSORRT_CAPABILITY')
    open_once(board, brightest, builds)
    assert 'generated on an incompatible device' in caplog.text
    assert was_built(caplog)


def test_a_passing_failure_leaves_a_good_engine(board, brightest, builds, caplog):
    open_once(board, brightest, builds)
    board.gpu.fail_next['deserialize_cuda_engine'] = 2
    with pytest.raises(InferenceError, match=r'cannot load the engine now .*out of memory'):
        open_once(board, brightest, builds)
    caplog.clear()
    open_once(board, brightest, builds)
    assert not was_built(caplog)


def test_another_cuda_library_finds_the_engine(board, brightest, builds, caplog, monkeypatch):
    open_once(board, brightest, builds)
    caplog.clear()
    monkeypatch.setattr(Cuda, 'runtime_version', lambda _: (12, 0))
    open_once(board, brightest, builds)
    assert not was_built(caplog)


def test_the_record_says_what_the_engine_is(board, brightest, builds):
    open_once(board, brightest, builds)
    record = json.loads(board.engines()[0].with_suffix('.json').read_text())
    assert record['spec']['tensorrt'] == '10.3.0'
    assert record['spec']['compute_capability'] == '8.7'
    assert record['precision'] == 'fp16'
    assert record['self_check_agreement'] == 1
    spec = record['spec']
    assert (spec['image_size'], spec['takes_smaller']) == ([1536, 2048], True)
    assert spec['mask_size'] == [16, 32]


def test_the_record_holds_the_size_of_the_images(board, brightest, builds, caplog):
    for size in ((32, 64), (48, 64)):
        open_once(board, brightest, builds, resize='device', image_size=size)
        assert was_built(caplog)
    records = [json.loads(path.with_suffix('.json').read_text()) for path in board.engines()]
    sizes = sorted(record['spec']['image_size'] for record in records)
    assert sizes == [[32, 64], [48, 64]]
    assert all(record['spec']['mask_size'] == [16, 32] for record in records)


def test_a_damaged_record_costs_a_build_only(board, brightest, builds, caplog):
    open_once(board, brightest, builds)
    caplog.clear()
    board.engines()[0].with_suffix('.json').write_text('{')
    open_once(board, brightest, builds)
    assert was_built(caplog)


def test_files_are_for_this_user_alone(board, brightest, builds):
    open_once(board, brightest, builds)
    assert board.cache.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in board.cache.iterdir())


def test_a_folder_that_others_can_write_is_refused(board, brightest, builds):
    board.cache.mkdir(mode=0o700)
    board.cache.chmod(0o770)
    with pytest.raises(ConfigError, match=r'can be written by others \(mode 770\)'):
        open_once(board, brightest, builds)


def test_a_folder_of_another_user_is_refused(board, brightest, builds, monkeypatch):
    board.cache.mkdir(mode=0o700)
    monkeypatch.setattr(cache_module.os, 'geteuid', lambda: os.getuid() + 1)
    with pytest.raises(ConfigError, match='belongs to user'):
        open_once(board, brightest, builds)


def test_a_link_to_a_folder_is_refused(board, brightest, builds, tmp_path):
    (tmp_path / 'elsewhere').mkdir(mode=0o700)
    board.cache.symlink_to(tmp_path / 'elsewhere')
    with pytest.raises(ConfigError, match='is a link'):
        open_once(board, brightest, builds)


def test_an_engine_that_others_can_write_is_refused(board, brightest, builds):
    open_once(board, brightest, builds)
    board.engines()[0].chmod(0o666)
    with pytest.raises(ConfigError, match='can be written by others'):
        open_once(board, brightest, builds)


def test_an_engine_that_is_a_link_is_refused(board, brightest, builds, tmp_path):
    open_once(board, brightest, builds)
    path = board.engines()[0]
    path.rename(tmp_path / 'real')
    path.symlink_to(tmp_path / 'real')
    with pytest.raises(ConfigError, match='is a link; delete it'):
        open_once(board, brightest, builds)


def test_a_folder_that_cannot_be_made_is_told(board, brightest, tmp_path):
    (tmp_path / 'file').touch()
    board.cache = tmp_path / 'file' / 'engines'
    with pytest.raises(ConfigError, match='cannot be made'):
        board.runtime(brightest).open()


def fill_disk(monkeypatch) -> None:
    """Let every write of an engine meet a full disk."""

    def refuse(*_: object) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(cache_module.os, 'fsync', refuse)


def test_a_full_disk_costs_the_next_start_a_build(board, brightest, builds, caplog):
    fill_disk(board.monkeypatch)
    runtime = board.runtime(brightest, watch=builds.watch)
    runtime.open()
    assert runtime.precision == 'fp16'
    assert 'the disk is full' in caplog.text
    assert [path.suffix for path in board.cache.iterdir()] == ['.lock']


def test_the_cache_itself_says_that_the_disk_is_full(board, tmp_path):
    fill_disk(board.monkeypatch)
    cache = EngineCache(tmp_path / 'c')
    with pytest.raises(OutputError, match=r'\(the disk is full\); free space'):
        cache.write(cache.folder / 'x', b'y')
    assert list(cache.folder.iterdir()) == []


def wait_for_build(hold: Path) -> int:
    """Return the number of the process that builds, once it does."""
    while not (hold.exists() and hold.read_text()):
        time.sleep(0.01)
    return int(hold.read_text())


def start_held_build(board, model, builds, hold):
    """Open a runtime in a thread whose build never ends by itself; return what it raised."""
    board.use_process()
    board.monkeypatch.setenv('FAKE_TENSORRT_HOLD', str(hold))
    raised: list[BaseException] = []

    def work() -> None:
        try:
            open_once(board, model, builds, resize='host')  # it is not tried in another form
        except Exception as error:  # noqa: BLE001  what the test looks at
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, raised


def test_a_killed_build_is_told_and_the_next_one_works(board, brightest, builds, tmp_path):
    thread, raised = start_held_build(board, brightest, builds, tmp_path / 'hold')
    os.kill(wait_for_build(tmp_path / 'hold'), signal.SIGKILL)
    thread.join()
    assert isinstance(raised[0], ModelError)
    assert 'killed by signal 9' in str(raised[0])
    board.monkeypatch.delenv('FAKE_TENSORRT_HOLD')
    assert board.engines() == []
    open_once(board, brightest, builds)
    assert len(board.engines()) == 1


def test_a_build_can_be_cancelled(board, brightest, builds, tmp_path):
    thread, raised = start_held_build(board, brightest, builds, tmp_path / 'hold')
    number = wait_for_build(tmp_path / 'hold')
    builds.stop.set()
    thread.join()
    assert isinstance(raised[0], BuildCancelled)
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
    assert board.engines() == []


@pytest.mark.parametrize('board', [v for v in VERSIONS if not v.startswith('8')], indirect=True)
def test_newer_versions_tell_phase_and_share(board, brightest, builds):
    board.use_process()
    open_once(board, brightest, builds)
    shares = [entry.fraction for entry in builds.progress if entry.fraction is not None]
    assert shares == sorted(shares)
    assert shares[-1] >= 0.5
    assert 'Timing tactics' in {entry.phase for entry in builds.progress}
    assert '%' in builds.progress[-1].words


def test_what_a_killed_process_left_is_swept_away(board, brightest, builds):
    open_once(board, brightest, builds)
    path = board.engines()[0]
    path.unlink()
    left = path.with_name('.999999999-7.part')
    left.write_bytes(b'half')
    open_once(board, brightest, builds)
    assert not left.exists()


def test_a_damaged_timing_cache_costs_time_only(board, brightest, builds):
    open_once(board, brightest, builds)
    timing = next(board.cache.glob('*.timing'))
    timing.write_bytes(b'timing of another device')
    open_once(board, brightest, builds, force_rebuild=True)
    assert timing.read_bytes() != b'timing of another device'


def test_asked_for_by_name_it_runs_through_the_factory(board, brightest):
    board.monkeypatch.setenv('XDG_CACHE_HOME', str(board.cache.parent))
    with open_runtime(brightest, RuntimeSettings(runtime='tensorrt'), batch_size=2) as runtime:
        assert runtime.name == 'tensorrt'
    assert list((board.cache.parent / 'espnet_ros' / 'engines').glob('*.engine'))


def test_auto_takes_it_first(board, brightest):
    board.monkeypatch.setenv('XDG_CACHE_HOME', str(board.cache.parent))
    with open_runtime(brightest, RuntimeSettings()) as runtime:
        assert runtime.name == 'tensorrt'
