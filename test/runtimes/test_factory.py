"""Which runtime is taken, and what is said of those that are not."""

from __future__ import annotations

import logging
from pathlib import Path
import re
import sys

from espnet_ros.config import RUNTIMES as SETTABLE
from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import InferenceError, ModelError, RuntimeUnavailableError
from espnet_ros.runtimes import factory
from espnet_ros.runtimes.base import Runtime
from espnet_ros.runtimes.factory import AUTO_ORDER, open_runtime, runtime_report, RUNTIMES
from espnet_ros.runtimes.fake import FakeRuntime
from espnet_ros.runtimes.tensorrt import cuda, support
from espnet_ros.runtimes.tensorrt.library import load_tensorrt
from fake_tensorrt.library import make_module
import pytest

MODULES = {
    'openvino': 'espnet_ros.runtimes.openvino',
    'onnxruntime': 'espnet_ros.runtimes.onnxruntime',
}


@pytest.fixture
def without(monkeypatch):
    """Return a function that takes libraries away."""

    def remove(*names: str) -> None:
        for name in names:
            monkeypatch.setitem(sys.modules, name, None)

    return remove


@pytest.fixture
def broken_openvino(monkeypatch, tmp_path):
    """Put an openvino in the way that fails to load, as with a wrong C library."""
    package = tmp_path / 'openvino'
    package.mkdir()
    (package / '__init__.py').write_text('raise OSError("libtbb.so.12: wrong\\n ELF class")')
    for name in [n for n in sys.modules if n.partition('.')[0] == 'openvino']:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, MODULES['openvino'], raising=False)
    monkeypatch.syspath_prepend(tmp_path)


def statuses() -> dict[str, factory.RuntimeStatus]:
    return {status.name: status for status in runtime_report()}


def test_the_table_names_every_runtime_that_can_be_set():
    assert ('auto', *RUNTIMES) == SETTABLE


def test_every_module_of_runtimes_that_defines_one_is_in_the_table():
    folder = Path(factory.__file__).parent
    defining = {
        'espnet_ros.runtimes.' + '.'.join(path.relative_to(folder).with_suffix('').parts)
        for path in folder.rglob('*.py')
        if re.search(r'^class \w+\((\w*Runtime)\)', path.read_text(), re.MULTILINE)
    }
    assert defining == {entry.module for entry in RUNTIMES.values()}


@pytest.mark.parametrize('kind', [ModelError, InferenceError])
def test_auto_goes_on_where_a_usable_runtime_fails_and_warns(
    channel_model, monkeypatch, caplog, kind
):
    pytest.importorskip('onnxruntime')
    openvino = pytest.importorskip('espnet_ros.runtimes.openvino')

    def fail(runtime: Runtime) -> None:
        raise kind('no engine of it')

    monkeypatch.setattr(openvino.OpenvinoRuntime, '_open', fail)
    with open_runtime(channel_model, RuntimeSettings()) as runtime:
        assert runtime.name == 'onnxruntime'
    (record,) = [r for r in caplog.records if r.name == factory.__name__]
    assert record.levelno == logging.WARNING
    assert 'no engine of it' in record.message


def test_the_report_names_every_runtime_in_the_order_of_auto():
    assert tuple(status.name for status in runtime_report()) == AUTO_ORDER


def test_a_usable_runtime_has_a_version_and_no_reason():
    usable = [status for status in runtime_report() if status.usable]
    assert all(status.version and status.version[0].isdecimal() for status in usable)
    assert not any(status.reason for status in usable)


def test_a_missing_library_is_reported_with_how_to_install_it(without):
    without('onnxruntime')
    status = statuses()['onnxruntime']
    assert (status.usable, status.version) == (False, None)
    assert status.reason == 'not installed; pip install "espnet-ros[onnxruntime]"'


def test_a_library_that_does_not_load_is_reported_on_one_line(broken_openvino):
    status = statuses()['openvino']
    assert not status.usable
    assert 'installed, but it cannot be loaded (libtbb.so.12: wrong ELF class)' in status.reason


def test_a_missing_runtime_asked_for_by_name_is_an_error(channel_model, without):
    without('openvino')
    with pytest.raises(RuntimeUnavailableError, match=r'^openvino: not installed; pip install'):
        open_runtime(channel_model, RuntimeSettings(runtime='openvino'))


def test_auto_takes_the_first_usable_and_says_why_not_the_earlier(channel_model, without, caplog):
    pytest.importorskip('onnxruntime')
    without('openvino')
    caplog.set_level(logging.INFO)
    with open_runtime(channel_model, RuntimeSettings()) as runtime:
        assert runtime.name == 'onnxruntime'
    assert 'runtime onnxruntime, fp32 on CPU' in caplog.text
    assert 'tensorrt: ' in caplog.text
    assert 'openvino: not installed' in caplog.text


def test_auto_passes_over_runtimes_without_the_precision_asked_for(channel_model):
    with pytest.raises(RuntimeUnavailableError) as raised:
        open_runtime(channel_model, RuntimeSettings(precision='int8'))
    for name in AUTO_ORDER:
        assert f'{name}: ' in str(raised.value)


def test_auto_never_takes_the_stand_in(channel_model, without):
    without('openvino', 'onnxruntime', 'torch')
    with pytest.raises(RuntimeUnavailableError, match='no runtime can be used as requested'):
        open_runtime(channel_model, RuntimeSettings())


def test_the_stand_in_runs_when_asked_for(channel_model):
    with open_runtime(channel_model, RuntimeSettings(runtime='fake')) as runtime:
        assert isinstance(runtime, FakeRuntime)


def test_tensorrt_says_all_that_is_missing(channel_model, monkeypatch, without):
    without('tensorrt')
    monkeypatch.setattr(support, 'count_cuda_devices', lambda: 0)
    with pytest.raises(RuntimeUnavailableError) as raised:
        open_runtime(channel_model, RuntimeSettings(runtime='tensorrt'))
    for part in ('Python package is not installed', 'no CUDA device is visible'):
        assert part in str(raised.value)


def test_tensorrt_names_a_missing_cuda_library(monkeypatch):
    monkeypatch.setitem(sys.modules, 'tensorrt', make_module('10.3.0'))
    monkeypatch.setattr(support, 'count_cuda_devices', lambda: 1)
    monkeypatch.setattr(cuda, '_candidates', lambda: iter(()))
    load_tensorrt.cache_clear()
    try:
        reason, version = support.find_tensorrt()
    finally:
        load_tensorrt.cache_clear()
    assert version is None
    assert 'not installed' not in reason
    assert 'no CUDA runtime library' in reason


def test_devices_are_counted_without_a_driver(monkeypatch):
    def fail(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(support.ctypes, 'CDLL', fail)
    assert support.count_cuda_devices() == 0
