"""The runtime tensorrt_rtx: NVIDIA's own parser and builder, and a stand-in for the card."""

from __future__ import annotations

import json
import logging
import sys

from espnet_ros.config import EngineSettings, RuntimeSettings
from espnet_ros.exceptions import ConfigError, ModelError, RuntimeUnavailableError
from espnet_ros.runtimes.build_watch import NO_BUILD
from espnet_ros.runtimes.factory import AUTO_ORDER, build_ahead, open_runtime, runtime_report
from espnet_ros.runtimes.tensorrt.library import load_tensorrt
from fake_tensorrt.board import labels_of, make_batch
from fake_tensorrt.device import FakeDevice
import numpy as np
from nvidia_compiler import load_compiler
import pytest

trt = load_compiler()


@pytest.fixture
def rtx(board):
    """Return the stand-in for the library; the board has a card for it."""
    return board.use_rtx()


def compiled(board) -> list[str]:
    return [call for call in board.gpu.calls if call.startswith('compiled')]


def restart(board, **changes) -> None:
    """Put a fresh process' view of the card in, or another card."""
    gpu = FakeDevice()
    gpu.capability = (8, 9)
    for name, value in changes.items():
        setattr(gpu, name, value)
    board.use_gpu(gpu)


def settings(board, **more) -> RuntimeSettings:
    engine = EngineSettings(engine_cache_dir=str(board.cache))
    return RuntimeSettings(runtime='tensorrt_rtx', engine=engine, **more)


@pytest.mark.usefixtures('rtx')
def test_it_gives_the_labels_of_the_model_for_every_count(board, brightest) -> None:
    with board.runtime(brightest, batch_size=2) as runtime:
        assert (runtime.name, runtime.precision) == ('tensorrt_rtx', 'fp16')
        assert runtime.facts['tensorrt_rtx'] == trt.__version__
        assert runtime.self_check.agreement == 1
        for count in (1, 2, 1):
            batch = make_batch(count, count)
            found = runtime.infer(batch, confidence=True)
            np.testing.assert_array_equal(found.labels, labels_of(batch))
            assert found.confidence.min() > 200


@pytest.mark.usefixtures('rtx')
def test_the_library_records_the_graph_and_nothing_else_does(board, brightest) -> None:
    with board.runtime(brightest) as runtime:
        runtime.infer(make_batch(1))
    calls = board.gpu.calls
    assert 'ran WHOLE_GRAPH_CAPTURE' in calls
    assert 'cudaStreamBeginCapture' not in calls


def test_an_engine_asks_for_memory_that_graphs_can_be_recorded_with(rtx, board, brightest):
    board.runtime(brightest).open()
    config = rtx.Builder.built[-1]
    assert config.get_flag(trt.BuilderFlag.REQUIRE_USER_ALLOCATION)


@pytest.mark.usefixtures('rtx')
def test_the_next_start_compiles_nothing_and_checks_nothing(board, brightest) -> None:
    with board.runtime(brightest) as runtime:
        assert runtime.self_check is not None
    assert compiled(board) == ['compiled batch1']
    restart(board)
    with board.runtime(brightest, watch=NO_BUILD) as runtime:
        assert runtime.self_check is None
        np.testing.assert_array_equal(
            runtime.infer(make_batch(1)).labels, labels_of(make_batch(1))
        )
    assert compiled(board) == []


@pytest.mark.usefixtures('rtx')
def test_kernels_of_larger_batches_are_kept_at_the_end(board, brightest) -> None:
    with board.runtime(brightest, batch_size=2) as runtime:
        runtime.infer(make_batch(2))
    assert compiled(board) == ['compiled batch1', 'compiled batch2']
    restart(board)
    with board.runtime(brightest, batch_size=2) as runtime:
        runtime.infer(make_batch(2))
    assert compiled(board) == []


@pytest.mark.usefixtures('rtx')
@pytest.mark.parametrize('change', [{'driver_version': 13000}, {'capability': (12, 0)}], ids=str)
def test_another_card_or_driver_compiles_and_checks_the_same_engine(board, brightest, change):
    board.runtime(brightest).open()
    restart(board, **change)
    with board.runtime(brightest, watch=NO_BUILD) as runtime:
        assert runtime.self_check.agreement == 1
    assert compiled(board) == ['compiled batch1']
    assert len(board.engines()) == 1
    assert len(list(board.cache.glob('*.kernels'))) == 2


@pytest.mark.usefixtures('rtx')
def test_kernels_that_the_library_refuses_are_compiled_anew(board, brightest, caplog) -> None:
    caplog.set_level(logging.INFO)
    board.runtime(brightest).open()
    (kept,) = board.cache.glob('*.kernels')
    good = kept.read_bytes()
    kept.write_bytes(b'of another driver')
    restart(board)
    with board.runtime(brightest) as runtime:
        assert runtime.self_check is not None
    assert 'compiling anew' in caplog.text
    assert kept.read_bytes() == good


@pytest.mark.usefixtures('rtx')
def test_an_engine_that_fails_on_a_new_card_is_refused_and_nothing_is_kept(board, brightest):
    board.runtime(brightest).open()
    restart(board, capability=(12, 0), damaged_share=0.05)
    with pytest.raises(ModelError, match='refused by its self-check'):
        board.runtime(brightest).open()
    assert {path.suffix for path in board.cache.iterdir()} == {'.lock'}


def test_an_old_card_gets_an_engine_of_its_own(rtx, board, brightest) -> None:
    board.runtime(brightest).open()
    assert rtx.Builder.built[-1].num_compute_capabilities != 1
    restart(board, capability=(7, 5))
    board.runtime(brightest).open()
    config = rtx.Builder.built[-1]
    assert config.num_compute_capabilities == 1
    assert config.get_compute_capability(0) == trt.ComputeCapability.SM75
    assert len(board.engines()) == 2


@pytest.mark.usefixtures('rtx')
@pytest.mark.parametrize('capability', [(8, 7), (11, 0)])
def test_a_jetson_is_sent_to_tensorrt(board, brightest, capability) -> None:
    restart(board, capability=capability)
    words = '{}.{}'.format(*capability)
    with pytest.raises(RuntimeUnavailableError, match=rf'{words}\).*; set runtime to tensorrt$'):
        board.runtime(brightest).open()


@pytest.mark.usefixtures('rtx')
def test_an_engine_is_built_ahead_without_a_gpu_and_checked_where_it_runs(board, brightest):
    board.gpu.count = 0
    assert not next(s for s in runtime_report() if s.name == 'tensorrt_rtx').usable
    path = build_ahead(brightest, settings(board))
    record = json.loads(path.with_suffix('.json').read_text())
    assert 'self_check_agreement' not in record
    assert record['spec']['gpu'] == 'any GPU'
    restart(board)
    with open_runtime(brightest, settings(board), watch=NO_BUILD) as runtime:
        assert runtime.self_check.agreement == 1


@pytest.mark.usefixtures('rtx')
def test_an_engine_that_resizes_is_built_ahead_for_the_size_that_is_named(board, brightest):
    resizing = settings(board, resize='device')
    with pytest.raises(ConfigError, match='one size of image'):
        build_ahead(brightest, resizing)
    build_ahead(brightest, resizing, image_size=(48, 64))
    with open_runtime(brightest, resizing, watch=NO_BUILD) as runtime:
        large = np.ascontiguousarray(make_batch(1).repeat(3, axis=1).repeat(2, axis=2))
        np.testing.assert_array_equal(runtime.infer(large).labels, labels_of(make_batch(1)))


@pytest.mark.usefixtures('rtx')
def test_a_process_of_its_own_builds_without_cuda(board, brightest) -> None:
    board.use_process()
    plan = build_ahead(brightest, settings(board)).read_bytes()
    assert not plan.startswith(b'ftrt')  # NVIDIA's own
    assert len(plan) > 10_000


@pytest.mark.usefixtures('rtx')
def test_auto_takes_it_after_tensorrt_and_before_the_cpu(board, brightest) -> None:
    assert AUTO_ORDER[:3] == ('tensorrt', 'tensorrt_rtx', 'openvino')
    engine = EngineSettings(engine_cache_dir=str(board.cache))
    with open_runtime(brightest, RuntimeSettings(engine=engine)) as runtime:
        assert runtime.name == 'tensorrt_rtx'
    board.monkeypatch.setitem(sys.modules, 'tensorrt_rtx', None)
    load_tensorrt.cache_clear()
    status = next(s for s in runtime_report() if s.name == 'tensorrt_rtx')
    assert 'espnet-ros[rtx]' in status.reason
    assert 'not on a Jetson' in status.reason
