from collections.abc import Callable
from dataclasses import replace
import os
from typing import Any

import pytest

pytest.importorskip('torch')
from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import InferenceError, InputError, ModelError, RuntimeUnavailableError
from espnet_ros.model_file import ModelFile
from espnet_ros.runtimes.torch import rebuild_pipeline, TorchRuntime
import numpy as np
from numpy.typing import NDArray
import onnx
import torch

NAME = 'espnet_c_p2_q3_cityscapes'
CPU = RuntimeSettings(device='cpu')
needs_no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU')
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU for torch')


@pytest.fixture(scope='module')
def model(published_model: Callable[[str], ModelFile]) -> ModelFile:
    return published_model(NAME)


@pytest.fixture
def images() -> NDArray[np.uint8]:
    """Return two images of smooth random colours."""
    coarse = np.random.default_rng(7).integers(0, 256, (2, 8, 12, 3), np.uint8)
    return np.ascontiguousarray(coarse.repeat(8, axis=1).repeat(8, axis=2))


def test_answers_for_every_image_of_the_batch(model: ModelFile, images: NDArray[np.uint8]) -> None:
    with TorchRuntime(model, CPU) as runtime:
        both = runtime.infer(images, confidence=True)
        second = runtime.infer(images[1:], confidence=True)
    assert both.labels.shape == both.confidence.shape == (2, 64, 96)
    assert both.labels.dtype == both.confidence.dtype == np.uint8
    assert np.mean(both.labels[1] == second.labels[0]) > 0.999


def test_confidence_is_computed_on_demand_only(
    model: ModelFile, images: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    with TorchRuntime(model, CPU) as runtime:
        monkeypatch.setattr('torch.nn.functional.softmax', None)
        assert runtime.infer(images).confidence is None


def test_float_images_are_for_the_float_model_only(
    model: ModelFile, images: NDArray[np.uint8]
) -> None:
    floats = images.astype(np.float32)
    with TorchRuntime(model.with_float_image(), CPU) as runtime:
        assert runtime.input_spec.dtype == 'float32'
        of_floats = runtime.infer(floats).labels
    with TorchRuntime(model, CPU) as runtime:
        np.testing.assert_array_equal(runtime.infer(images).labels, of_floats)
        with pytest.raises(InputError, match=r'contiguous uint8 batch'):
            runtime.infer(floats)


def test_batch_is_neither_changed_nor_kept(model: ModelFile, images: NDArray[np.uint8]) -> None:
    before = images.copy()
    images.flags.writeable = False
    with TorchRuntime(model, CPU) as runtime:
        first = runtime.infer(images).labels.copy()
        images.flags.writeable = True
        np.testing.assert_array_equal(images, before)
        labels = runtime.infer(images).labels
        images[:] = 0
    np.testing.assert_array_equal(labels, first)


def test_float_arithmetic_of_the_callers_thread_is_left_alone(
    model: ModelFile, images: NDArray[np.uint8]
) -> None:
    with TorchRuntime(model, CPU) as runtime:
        runtime.infer(images)
    assert np.float32(1e-40) * np.float32(1) > 0


@pytest.mark.parametrize('precision', ['fp32', 'bf16'])
def test_precision_is_the_one_asked_for(
    precision: str, model: ModelFile, images: NDArray[np.uint8]
) -> None:
    settings = RuntimeSettings(device='cpu', precision=precision)
    with TorchRuntime(model, CPU) as exact, TorchRuntime(model, settings) as runtime:
        assert runtime.precision == precision
        weights = next(runtime._pipeline.network.parameters())
        assert weights.dtype == {'fp32': torch.float32, 'bf16': torch.bfloat16}[precision]
        expected = exact.infer(images).labels.copy()
        assert np.mean(runtime.infer(images).labels == expected) > 0.9


def test_auto_on_a_cpu_is_fp32(model: ModelFile) -> None:
    with TorchRuntime(model, CPU) as runtime:
        assert (runtime.precision, runtime.device) == ('fp32', 'CPU')
    assert runtime.device == ''


def test_threads_are_those_asked_for(model: ModelFile) -> None:
    with TorchRuntime(model, RuntimeSettings(device='cpu', threads=1)):
        assert torch.get_num_threads() == 1
    with TorchRuntime(model, CPU):
        assert torch.get_num_threads() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize('precision', ['fp16', 'int8'])
def test_precision_that_the_cpu_lacks_is_refused(precision: str, model: ModelFile) -> None:
    settings = RuntimeSettings(device='cpu', precision=precision)
    with pytest.raises(RuntimeUnavailableError, match=rf'no precision {precision} on cpu.*bf16'):
        TorchRuntime(model, settings).open()


@pytest.mark.parametrize('device', ['GPU', 'cpu:1', 'cuda:x', 'cuda:-1', ''])
def test_device_that_is_none_is_refused(device: str, model: ModelFile) -> None:
    with pytest.raises(RuntimeUnavailableError, match=r'expected device auto, cpu, cuda or cuda'):
        TorchRuntime(model, RuntimeSettings(device=device)).open()


@needs_no_gpu
@pytest.mark.parametrize('device', ['cuda', 'cuda:3'])
def test_gpu_that_is_not_there_is_refused(device: str, model: ModelFile) -> None:
    with pytest.raises(RuntimeUnavailableError, match=rf"no device '{device}'.*sees 0 GPUs"):
        TorchRuntime(model, RuntimeSettings(device=device)).open()


@needs_gpu
@pytest.mark.parametrize('precision', ['fp32', 'fp16'])
def test_gpu_answers_as_the_cpu(
    precision: str, model: ModelFile, images: NDArray[np.uint8]
) -> None:
    settings = RuntimeSettings(device='cuda', precision=precision)
    with TorchRuntime(model, CPU) as cpu, TorchRuntime(model, settings) as gpu:
        assert gpu.device.startswith('cuda:0, ')
        expected = cpu.infer(images).labels.copy()
        assert np.mean(gpu.infer(images).labels == expected) > 0.99


def test_model_of_another_origin_is_refused(channel_model: ModelFile) -> None:
    with pytest.raises(ModelError, match=r"networks of this package only.*found 'foreign'"):
        TorchRuntime(channel_model, CPU).open()


def with_info(model: ModelFile, **arguments: Any) -> ModelFile:
    described = dict(model.info.architecture_arguments) | arguments
    info = replace(model.info, architecture_arguments=tuple(described.items()))
    return replace(model, info=info)


@pytest.mark.parametrize(
    'arguments,message',
    [
        ({'alpha3': 4}, r'expected the parameter network.stage3.3.*found none'),
        ({'alpha3': 2}, r'the parameter network.stage3.2.* is not one of espnet_c'),
        ({'classes': 12}, r'network.classifier.weight of shape \(12, 256, 1, 1\), found \[20'),
        ({'depth': 1}, r'architecture espnet_c: .*depth'),
    ],
)
def test_metadata_that_contradict_the_graph_are_refused(
    arguments: dict[str, Any], message: str, model: ModelFile
) -> None:
    with pytest.raises(ModelError, match=message):
        TorchRuntime(with_info(model, **arguments), CPU).open()


def test_graph_that_lost_a_parameter_is_refused(model: ModelFile) -> None:
    proto = onnx.load_model_from_string(model.data)
    del proto.graph.initializer[3]
    damaged = replace(model, proto=proto)
    with pytest.raises(ModelError, match=r'expected the parameter .* found none'):
        rebuild_pipeline(damaged)


def test_batch_that_the_machine_cannot_hold_is_an_inference_error(
    model: ModelFile, images: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError('out of memory')

    with TorchRuntime(model, CPU) as runtime:
        monkeypatch.setattr(runtime._pipeline, 'logits', fail)
        with pytest.raises(InferenceError, match=r'batch of shape \(2, 64, 96, 3\).*of memory'):
            runtime.infer(images)


def test_runtime_opens_again_after_close(model: ModelFile, images: NDArray[np.uint8]) -> None:
    runtime = TorchRuntime(model, CPU)
    with runtime:
        first = runtime.infer(images).labels.copy()
    with pytest.raises(InferenceError, match=r'not open'):
        runtime.infer(images)
    with runtime:
        np.testing.assert_array_equal(runtime.infer(images).labels, first)
