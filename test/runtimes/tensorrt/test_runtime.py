"""The TensorRT runtime on every generation of the bindings, with a stand-in for the GPU."""

from __future__ import annotations

import logging
import threading

from espnet_ros.config import EngineSettings, MaskSettings, RuntimeSettings
from espnet_ros.exceptions import (
    ConfigError,
    DeviceLostError,
    InferenceError,
    InputError,
    ModelError,
    RuntimeUnavailableError,
)
from espnet_ros.export.golden import with_golden_labels
from espnet_ros.model_file.golden import GoldenOutput, read_golden_output, with_golden_output
from espnet_ros.processing import preprocess
from espnet_ros.runtimes.build_watch import NO_BUILD
from espnet_ros.runtimes.factory import open_runtime, runtime_report
from espnet_ros.runtimes.tensorrt import image_sizes
from espnet_ros.segmenter import Segmenter
from fake_tensorrt import building
from fake_tensorrt.board import as_model_file, labels_of, make_batch, make_network
from fake_tensorrt.device import FakeDevice, ILLEGAL_ADDRESS
from fake_tensorrt.library import VERSIONS
import numpy as np
import onnx
import pytest

every_version = pytest.mark.parametrize('board', VERSIONS, indirect=True)
both_memories = pytest.mark.parametrize('is_integrated', [True, False])


@every_version
@both_memories
def test_every_version_gives_the_labels_of_the_model(board, brightest, is_integrated):
    board.use_gpu(FakeDevice(is_integrated=is_integrated))
    with board.runtime(brightest, batch_size=2) as runtime:
        for count in (1, 2, 1):
            for seed in range(4):  # before, while and after a graph is recorded
                batch = make_batch(count, seed)
                found = runtime.infer(batch, confidence=True)
                np.testing.assert_array_equal(found.labels, labels_of(batch))
                assert found.confidence.shape == found.labels.shape
                assert found.confidence.min() > 200


@every_version
def test_auto_is_fp16_and_the_engine_says_that_it_is(board, brightest):
    with board.runtime(brightest) as runtime:
        assert runtime.precision == 'fp16'
        assert runtime.layer_precisions == {'fp16': 3}
        assert runtime.self_check.agreement == 1


@every_version
def test_fp32_is_fp32(board, brightest):
    with board.runtime(brightest, precision='fp32') as runtime:
        assert runtime.precision == 'fp32'


def test_an_integrated_gpu_copies_nothing(board, brightest):
    with board.runtime(brightest) as runtime:
        batch = runtime.allocate_batch(1)
        batch[:] = make_batch(1)
        found = runtime.infer(batch)
        np.testing.assert_array_equal(found.labels, labels_of(make_batch(1)))
    assert 'cudaMemcpyAsync' not in board.gpu.calls
    assert 'cudaMalloc' not in board.gpu.calls


def test_waiting_threads_sleep_on_the_device_that_was_chosen(board, brightest):
    board.use_gpu(FakeDevice(count=2))
    with board.runtime(brightest, device='cuda:1'):
        calls = board.gpu.calls
        assert calls.index('cudaSetDevice') < calls.index('cudaSetDeviceFlags')


def test_everything_of_a_graph_is_freed_before_what_it_refers_to(board, brightest):
    runtime = board.runtime(brightest)
    runtime.open()
    board.gpu.calls.clear()
    runtime.close()
    freed = [
        name for name in board.gpu.calls if 'GraphExec' in name or 'Free' in name or '__' in name
    ]
    assert freed[:2] == ['cudaGraphExecDestroy', 'IExecutionContext.__del__']


def test_a_card_of_its_own_gets_pinned_memory_and_copies(board, brightest):
    board.use_gpu(FakeDevice())
    with board.runtime(brightest) as runtime:
        runtime.infer(make_batch(1))
    assert 'cudaMemcpyAsync' in board.gpu.calls
    assert 'cudaHostGetDevicePointer' not in board.gpu.calls


def test_a_graph_is_launched_once_it_is_recorded(board, brightest):
    with board.runtime(brightest, resize='host') as runtime:
        board.gpu.calls.clear()
        runtime.infer(make_batch(1))
    assert board.gpu.calls.count('cudaGraphLaunch') == 1


def test_a_change_of_the_count_drops_the_graph(board, brightest):
    with board.runtime(brightest, batch_size=2) as runtime:
        for _ in range(3):
            runtime.infer(make_batch(2))
        board.gpu.calls.clear()
        runtime.infer(make_batch(1))
        assert board.gpu.calls.count('cudaGraphExecDestroy') == 1
        assert 'cudaGraphLaunch' not in board.gpu.calls


def test_an_engine_that_cannot_be_recorded_runs_layer_by_layer(board, brightest, caplog):
    board.gpu.has_capturable_engine = False
    with board.runtime(brightest) as runtime:
        batch = make_batch(1)
        np.testing.assert_array_equal(runtime.infer(batch).labels, labels_of(batch))
    assert caplog.text.count('no CUDA graph') == 1
    assert 'not stream capturable' in caplog.text


def test_larger_batches_than_the_engine_run_in_pieces(board, brightest):
    batch = make_batch(5)
    with board.runtime(brightest, batch_size=2) as runtime:
        found = runtime.infer(batch, confidence=True)
    np.testing.assert_array_equal(found.labels, labels_of(batch))
    assert found.confidence.min() > 200


def test_only_the_size_of_the_engine_is_taken(board, brightest):
    runtime = board.runtime(brightest, resize='host')
    with runtime, pytest.raises(InputError, match='16, 32, 3'):
        runtime.infer(np.zeros((1, 32, 32, 3), np.uint8))


def test_another_input_size_gets_an_engine_of_its_own(board, brightest):
    labels_by_size = {}
    for size in ((16, 32), (24, 48)):
        settings = RuntimeSettings(
            runtime='tensorrt',
            input_size=size,
            engine=EngineSettings(engine_cache_dir=str(board.cache)),
        )
        with open_runtime(brightest, settings) as runtime:
            assert runtime.model.info.input_size == size
            assert runtime.self_check is not None
            labels_by_size[size] = runtime.infer(np.zeros((1, *size, 3), np.uint8)).labels.shape
    assert labels_by_size == {(16, 32): (1, 16, 32), (24, 48): (1, 24, 48)}
    assert len(board.engines()) == 2


def enlarged(batch: np.ndarray, rows: int = 3, columns: int = 2) -> np.ndarray:
    """Return images of 48x64 that are reduced to those of the batch."""
    return np.ascontiguousarray(batch.repeat(rows, axis=1).repeat(columns, axis=2))


@every_version
@both_memories
def test_one_engine_resizes_images_of_many_sizes(board, brightest, is_integrated):
    board.use_gpu(FakeDevice(is_integrated=is_integrated))
    with board.runtime(brightest, batch_size=2) as runtime:
        for rows, columns in ((3, 2), (1, 1), (3, 2)):
            for count in (1, 2, 1):
                for seed in range(4):  # before, while and after a graph is recorded
                    batch = make_batch(count, seed)
                    found = runtime.infer(enlarged(batch, rows, columns), confidence=True)
                    np.testing.assert_array_equal(found.labels, labels_of(batch))
                    assert found.confidence.shape == (count, 16, 32)
        assert (runtime.resize, runtime.self_check.agreement) == ('device', 1)
    assert len(board.engines()) == 1


def test_every_size_gets_a_graph_of_its_own(board, brightest):
    with board.runtime(brightest) as runtime:
        for rows in (3, 4):
            large = enlarged(make_batch(1), rows)
            board.gpu.calls.clear()
            for _ in range(3):
                runtime.infer(large)
            assert board.gpu.calls.count('cudaGraphLaunch') == 1


def test_images_of_several_sizes_come_back_in_order_and_build_nothing(board, brightest):
    board.monkeypatch.setattr(preprocess, 'resize_image', None)  # nobody resizes on the CPU
    board.runtime(brightest, batch_size=3).open()
    sizes = ((3, 2), (1, 1), (3, 2), (2, 5))
    batch = make_batch(len(sizes))
    images = [enlarged(batch[n : n + 1], *size)[0] for n, size in enumerate(sizes)]
    runtime = board.runtime(brightest, batch_size=3, watch=NO_BUILD)
    with Segmenter(runtime, MaskSettings(mask_size='network')) as segmenter:
        segmenter.warm_up(3)
        found = np.stack([result.labels for result in segmenter.segment(images)])
    np.testing.assert_array_equal(found, labels_of(batch))


def test_too_large_images_are_resized_before_and_that_is_told_once(board, brightest, caplog):
    caplog.set_level(logging.INFO)
    board.monkeypatch.setattr(image_sizes, 'LARGEST', (48, 64))
    batch = make_batch(2)
    images = [enlarged(batch[:1])[0], enlarged(batch[1:], 4, 2)[0]]
    runtime = board.runtime(brightest, batch_size=2)
    with Segmenter(runtime, MaskSettings(mask_size='network')) as segmenter:
        for _ in range(2):
            found = np.stack([result.labels for result in segmenter.segment(images)])
            np.testing.assert_array_equal(found, labels_of(batch))
        with pytest.raises(InputError, match=r'\(48, 64\) at most, found \(64, 64\)'):
            runtime.infer(images[1][np.newaxis])
    assert caplog.text.count('images of 64x64 are too large for the engine') == 1


def test_the_limit_is_never_below_the_size_of_the_network(board, brightest):
    board.monkeypatch.setattr(image_sizes, 'LARGEST', (8, 8))
    with board.runtime(brightest) as runtime:
        assert runtime.takes((16, 32))
        batch = make_batch(1)
        np.testing.assert_array_equal(runtime.infer(batch).labels, labels_of(batch))


def test_where_a_library_refuses_to_resize_the_cpu_does(board, brightest, caplog):
    find_trouble = building.Builder._find_trouble

    def refuse(builder, network, config):
        kinds = {node.op_type for node in network._model.graph.node}
        return 'no resize' if 'Resize' in kinds else find_trouble(builder, network, config)

    board.monkeypatch.setattr(building.Builder, '_find_trouble', refuse)
    batch = make_batch(2)
    runtime = board.runtime(brightest, batch_size=2)
    with Segmenter(runtime, MaskSettings(mask_size='network')) as segmenter:
        results = segmenter.segment([enlarged(batch[:1])[0], enlarged(batch[1:], 2, 5)[0]])
    np.testing.assert_array_equal(np.stack([r.labels for r in results]), labels_of(batch))
    assert (runtime.resize, runtime.self_check.agreement) == ('host', 1)
    assert 'no engine that resizes (TensorRT 10.3.0 built no engine: no resize)' in caplog.text
    assert len(board.engines()) == 1


def test_float_images_are_resized_before(board, brightest):
    with board.runtime(brightest.with_float_image()) as runtime:
        assert runtime.resize == 'host'
        assert not runtime.takes((48, 64))


@every_version
@both_memories
def test_every_version_resizes_in_the_engine(board, brightest, is_integrated):
    board.use_gpu(FakeDevice(is_integrated=is_integrated))
    with board.runtime(brightest, batch_size=2, resize='device', image_size=(48, 64)) as runtime:
        assert runtime.input_spec.shape == (None, 48, 64, 3)
        assert runtime.self_check.agreement == 1
        for count in (1, 2, 5):
            for seed in range(3):
                batch = make_batch(count, seed)
                found = runtime.infer(enlarged(batch), confidence=True)
                np.testing.assert_array_equal(found.labels, labels_of(batch))
                assert found.confidence.shape == (count, 16, 32)


def test_an_engine_that_resizes_is_built_for_the_first_image(board, brightest):
    runtime = board.runtime(brightest, batch_size=2, resize='device')
    with Segmenter(runtime, MaskSettings(mask_size='network')) as segmenter:
        segmenter.warm_up(2)
        assert runtime.waits_for_image
        assert board.engines() == []
        for count, seed in ((2, 0), (1, 5)):
            batch = make_batch(count, seed)
            results = segmenter.segment(list(enlarged(batch)))
            found = np.stack([result.labels for result in results])
            np.testing.assert_array_equal(found, labels_of(batch))
        assert runtime.input_spec.shape == (None, 48, 64, 3)
        assert runtime.self_check.agreement == 1
    assert len(board.engines()) == 1


def test_an_image_of_another_size_than_the_first_is_refused_with_what_to_set(board, brightest):
    with Segmenter(board.runtime(brightest, resize='device')) as segmenter:
        segmenter.segment([np.zeros((48, 64, 3), np.uint8)])
        with pytest.raises(InputError, match=r'found \(60, 80\); set resize to auto or host'):
            segmenter.segment([np.zeros((60, 80, 3), np.uint8)])


def test_an_engine_that_was_refused_is_not_built_again_for_every_image(board, brightest):
    board.gpu.damaged_share = 0.05
    image = np.zeros((48, 64, 3), np.uint8)
    with Segmenter(board.runtime(brightest, resize='device')) as segmenter:
        for _ in range(2):
            with pytest.raises(ModelError, match='refused by its self-check'):
                segmenter.segment([image])
            board.gpu.damaged_share = 0.0


def test_a_passing_failure_with_the_first_image_is_tried_again(board, brightest):
    image = np.zeros((48, 64, 3), np.uint8)
    with Segmenter(board.runtime(brightest, resize='device')) as segmenter:
        board.gpu.fail_next['cudaHostAlloc'] = 2
        with pytest.raises(InferenceError, match='out of memory'):
            segmenter.segment([image])
        segmenter.segment([image])


def test_a_closed_segmenter_refuses_images(board, brightest):
    segmenter = Segmenter(board.runtime(brightest))
    image = make_batch(1)[0]
    segmenter.segment([image])
    segmenter.close()
    with pytest.raises(InferenceError, match='closed'):
        segmenter.segment([image])


@pytest.mark.parametrize(
    ('size', 'origin'),
    [((48, 64), 'the labels in the model file'), ((24, 40), 'onnxruntime on this CPU')],
)
def test_an_engine_that_resizes_is_checked_on_an_image_of_its_size(board, brightest, size, origin):
    model = with_golden_labels(brightest)
    with board.runtime(model, resize='device', image_size=size) as runtime:
        assert runtime.self_check.origin == origin
        assert runtime.self_check.agreement == 1


@every_version
def test_an_engine_without_confidence_computes_labels_alone(board, brightest):
    with board.runtime(brightest, batch_size=2, engine_confidence=False) as runtime:
        assert not runtime.has_confidence
        engine = runtime._execution.engine
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        assert names == ['image', 'labels']
        for count in (1, 2, 2, 2):
            batch = make_batch(count)
            found = runtime.infer(batch)
            np.testing.assert_array_equal(found.labels, labels_of(batch))
            assert found.confidence is None
        with pytest.raises(ConfigError, match='give no confidence; set engine_confidence'):
            runtime.infer(make_batch(1), confidence=True)


def test_a_threshold_needs_an_engine_with_confidence(board, brightest):
    runtime = board.runtime(brightest, engine_confidence=False)
    with pytest.raises(ConfigError, match=r'confidence_threshold: expected 0, .* found 0\.5'):
        Segmenter(runtime, MaskSettings(confidence_threshold=0.5))
    with Segmenter(runtime) as segmenter:
        segmenter.warm_up()
        with pytest.raises(ConfigError, match='confidence_threshold'):
            segmenter.reconfigure(MaskSettings(confidence_threshold=0.5))
        with pytest.raises(ConfigError, match='set engine_confidence to true'):
            segmenter.segment([make_batch(1)[0]], confidence=True)


def test_a_float_image_gives_the_same_labels(board, brightest):
    batch = make_batch(1)
    with board.runtime(brightest.with_float_image()) as runtime:
        found = runtime.infer(batch.astype(np.float32))
        np.testing.assert_array_equal(found.labels, labels_of(batch))


def test_the_first_start_is_told_like_a_story(board, brightest, caplog):
    caplog.set_level(logging.INFO)
    board.runtime(brightest).open()
    told = [
        'found GPU 0 (compute capability 8.7), TensorRT 10.3.0, CUDA 12.6',
        'building the FP16 engine of brightest, images of up to 2048x1536 resized to 32x16, up to',
        'engine built in',
        'layers of the engine: 3 in fp16',
        'self-check: 100.00 % of the pixels agree with onnxruntime on this CPU',
        'engine kept as',
        'frames a second',
    ]
    places = [caplog.text.index(words) for words in told]
    assert places == sorted(places)


@pytest.mark.parametrize('device', ['cpu', 'cuda:x', 'dla'])
def test_another_device_is_refused(board, brightest, device):
    with pytest.raises(RuntimeUnavailableError, match='expected auto, gpu or cuda'):
        board.runtime(brightest, device=device).open()


def test_a_gpu_that_is_not_there_is_refused(board, brightest):
    with pytest.raises(RuntimeUnavailableError, match='number below 1, found 3'):
        board.runtime(brightest, device='cuda:3').open()


def test_bf16_is_refused(board, brightest):
    with pytest.raises(RuntimeUnavailableError, match='no precision bf16; expected auto or one'):
        board.runtime(brightest, precision='bf16').open()


def test_int8_needs_a_quantised_model(board, brightest):
    with pytest.raises(RuntimeUnavailableError, match='build --model MODEL --precision int8'):
        board.runtime(brightest, precision='int8').open()


def test_what_the_parser_refuses_is_told_with_the_node(board):
    proto = make_network()
    conv = next(node for node in proto.graph.node if node.op_type == 'Conv')
    unpool = onnx.helper.make_node('MaxUnpool', [conv.input[0], 'where'], ['un'], name='unpool')
    conv.input[0] = 'un'
    proto.graph.node.insert(2, unpool)
    board.use_process()
    with pytest.raises(ModelError, match=r'TensorRT 10\.3\.0 does not take .*node unpool: No imp'):
        board.runtime(as_model_file(proto), resize='host').open()
    assert board.engines() == []


def test_an_engine_that_sees_badly_is_refused_with_the_number(board, brightest):
    board.gpu.damaged_share = 0.05
    with pytest.raises(ModelError, match=r'refused by its self-check: 95\.\d+ % .* 99 % are'):
        board.runtime(brightest).open()
    assert board.engines() == []
    assert board.gpu.leaks == []


def test_a_fault_of_the_gpu_is_told_as_lost(board, brightest):
    runtime = board.runtime(brightest)
    runtime.open()
    board.gpu.fail_next['cudaStreamSynchronize'] = ILLEGAL_ADDRESS
    with pytest.raises(DeviceLostError, match='error 700, cudaErrorIllegalAddress: an illegal'):
        runtime.infer(make_batch(1))


def test_a_single_failure_is_told_with_tensorrts_words(board, brightest):
    with board.runtime(brightest, batch_size=2) as runtime:
        runtime.infer(make_batch(2))
        board.gpu.fail_next['execute_async_v3'] = 1
        with pytest.raises(InferenceError, match='the engine failed: Cuda Runtime'):
            runtime.infer(make_batch(1))
        batch = make_batch(1)
        np.testing.assert_array_equal(runtime.infer(batch).labels, labels_of(batch))


@pytest.mark.parametrize(
    'function', ['cudaHostAlloc', 'cudaStreamCreateWithFlags', 'create_execution_context']
)
def test_too_little_memory_leaves_nothing_behind(board, brightest, function):
    board.gpu.fail_next[function] = 2
    with pytest.raises(InferenceError, match='out of memory'):
        board.runtime(brightest).open()
    assert board.gpu.leaks == []


def test_it_runs_in_another_thread_than_it_was_opened_in(board, brightest):
    with board.runtime(brightest) as runtime:
        board.gpu.calls.clear()
        thread = threading.Thread(target=runtime.infer, args=(make_batch(1),))
        thread.start()
        thread.join()
    assert 'cudaSetDevice' in board.gpu.calls


def test_the_report_names_the_version(board):
    status = next(s for s in runtime_report() if s.name == 'tensorrt')
    assert (status.usable, status.version, status.reason) == (True, '10.3.0', '')


def test_a_version_that_is_too_old_is_told(board):
    import sys

    sys.modules['tensorrt'].__version__ = '8.5.2.2'
    status = next(s for s in runtime_report() if s.name == 'tensorrt')
    assert not status.usable
    assert 'expected 8.6 or newer, found 8.5.2.2' in status.reason


def test_a_process_without_access_to_the_gpu_is_told(board, brightest):
    board.use_process()
    board.monkeypatch.setenv('FAKE_TENSORRT_NO_GPU', '1')
    with pytest.raises(RuntimeUnavailableError, match='CUDA initialization failure with error'):
        board.runtime(brightest).open()


def test_the_labels_in_the_model_file_count(board, brightest, caplog):
    caplog.set_level(logging.INFO)
    model = with_golden_labels(brightest)
    with board.runtime(model) as runtime:
        assert runtime.self_check.origin == 'the labels in the model file'
    wrong = GoldenOutput(0, (read_golden_output(model).labels + 1) % 3)
    with pytest.raises(ModelError, match='refused by its self-check: 0'):
        board.runtime(with_golden_output(model, wrong), precision='fp32').open()
