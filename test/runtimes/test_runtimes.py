"""What every runtime promises, checked on each that this machine has."""

from __future__ import annotations

from collections.abc import Iterator

from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import InferenceError, InputError, ModelError, RuntimeUnavailableError
from espnet_ros.model_file import ModelFile
from espnet_ros.runtimes.base import Runtime
from espnet_ros.runtimes.factory import open_runtime, runtime_report
import numpy as np
import onnx
import pytest

USABLE = [status.name for status in runtime_report() if status.usable]
NETWORK_RUNTIMES = [name for name in ('openvino', 'onnxruntime') if name in USABLE]
ALL_RUNTIMES = [*NETWORK_RUNTIMES, 'fake']


def make_settings(name: str, **values: object) -> RuntimeSettings:
    """Return settings under which every runtime computes the same."""
    return RuntimeSettings(**{'runtime': name, 'precision': 'fp32', **values})


def random_batch(*shape: int, seed: int = 0) -> np.ndarray:
    """Return noise of type uint8."""
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def expected_answer(batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the brightest channel of each pixel, and its softmax probability as a byte."""
    powers = np.exp(batch / 32 - (batch / 32).max(axis=3, keepdims=True))
    return batch.argmax(axis=3), np.round(255 / powers.sum(axis=3))


@pytest.fixture(params=ALL_RUNTIMES)
def runtime(request: pytest.FixtureRequest, channel_model: ModelFile) -> Iterator[Runtime]:
    """Return each runtime, opened with the model of brightest channels."""
    with open_runtime(channel_model, make_settings(request.param)) as opened:
        yield opened


@pytest.fixture(params=NETWORK_RUNTIMES)
def network_runtime(request: pytest.FixtureRequest, channel_model: ModelFile) -> Iterator[Runtime]:
    """Return each runtime that computes the model, opened."""
    with open_runtime(channel_model, make_settings(request.param)) as opened:
        yield opened


class TestAnswers:
    def test_labels_and_confidence_are_those_of_the_model(self, network_runtime):
        batch = random_batch(2, 16, 32, 3)
        labels, confidence = expected_answer(batch)
        found = network_runtime.infer(batch, confidence=True)
        np.testing.assert_array_equal(found.labels, labels)
        assert abs(found.confidence - confidence).max() <= 1

    def test_outputs_are_bytes_of_the_size_of_the_batch(self, runtime):
        found = runtime.infer(random_batch(2, 16, 32, 3), confidence=True)
        assert found.labels.dtype == found.confidence.dtype == np.uint8
        assert found.labels.shape == found.confidence.shape == (2, 16, 32)

    def test_confidence_comes_only_when_asked_for(self, runtime):
        batch = random_batch(1, 16, 32, 3)
        asked = [runtime.infer(batch, confidence=c).confidence for c in (False, True, False)]
        assert [c is not None for c in asked] == [False, True, False]

    def test_labels_do_not_depend_on_the_confidence_being_asked_for(self, runtime):
        batch = random_batch(1, 16, 32, 3)
        alone = runtime.infer(batch).labels.copy()
        np.testing.assert_array_equal(runtime.infer(batch, confidence=True).labels, alone)

    def test_batch_sizes_may_change_from_call_to_call(self, network_runtime):
        for count in (1, 3, 2, 1):
            batch = random_batch(count, 16, 32, 3, seed=count)
            np.testing.assert_array_equal(
                network_runtime.infer(batch).labels, expected_answer(batch)[0]
            )

    def test_image_sizes_may_change_from_call_to_call(self, network_runtime):
        for height in range(8, 8 * 12, 8):
            batch = random_batch(1, height, 24, 3, seed=height)
            np.testing.assert_array_equal(
                network_runtime.infer(batch).labels, expected_answer(batch)[0]
            )

    def test_the_same_array_may_hold_a_new_image(self, network_runtime):
        batch = random_batch(1, 16, 32, 3)
        for value in (0, 1, 2):
            batch[:] = np.eye(3, dtype=np.uint8)[value] * 100
            assert (network_runtime.infer(batch).labels == value).all()

    def test_the_batch_is_left_as_it_was(self, runtime):
        batch = random_batch(1, 16, 32, 3)
        before = batch.copy()
        runtime.infer(batch, confidence=True)
        np.testing.assert_array_equal(batch, before)

    def test_a_batch_that_must_not_be_written_to_is_taken(self, network_runtime):
        batch = random_batch(1, 16, 32, 3)
        batch.flags.writeable = False
        np.testing.assert_array_equal(
            network_runtime.infer(batch).labels, expected_answer(batch)[0]
        )

    @pytest.mark.parametrize('name', ALL_RUNTIMES)
    def test_a_float_model_takes_float_images(self, channel_model, name):
        batch = random_batch(1, 16, 32, 3)
        with open_runtime(channel_model, make_settings(name)) as runtime:
            expected = runtime.infer(batch).labels.copy()
        float_model = channel_model.with_float_image()
        with open_runtime(float_model, make_settings(name)) as runtime:
            assert runtime.input_spec.dtype == 'float32'
            np.testing.assert_array_equal(runtime.infer(batch.astype('f4')).labels, expected)
            with pytest.raises(InputError, match='expected a contiguous float32 batch'):
                runtime.infer(batch)


def name_unknown_operator(proto: onnx.ModelProto) -> None:
    """Change an operator to one that does not exist."""
    next(node for node in proto.graph.node if node.op_type == 'ArgMax').op_type = 'ArgMix'


class TestRefusals:
    @pytest.mark.parametrize(
        ('batch', 'message'),
        [
            (np.zeros((1, 16, 32, 3), np.float32), 'contiguous uint8 batch .* found float32'),
            (np.zeros((16, 32, 3), np.uint8), r'of shape \(N, H, W, 3\), found .*\(16, 32, 3\)'),
            (np.zeros((1, 16, 64, 3), np.uint8)[:, :, ::2], 'contiguous'),
            (np.zeros((1, 16, 32, 4), np.uint8), r'\(any, any, any, 3\).*found \(1, 16, 32, 4\)'),
            (np.zeros((1, 17, 32, 3), np.uint8), r'multiples of 8, found \(1, 17, 32, 3\)'),
            (np.zeros((0, 16, 32, 3), np.uint8), r'found \(0, 16, 32, 3\)'),
        ],
    )
    def test_a_wrong_batch_is_refused_in_the_same_words(self, runtime, batch, message):
        with pytest.raises(InputError, match=f'^{runtime.name}: .*{message}'):
            runtime.infer(batch)

    @pytest.mark.parametrize('name', NETWORK_RUNTIMES)
    def test_an_operator_that_the_library_does_not_know_is_refused(self, channel_model, name):
        unknown = channel_model.rewritten(name_unknown_operator)
        with pytest.raises(ModelError, match=r'channels\.onnx: .* does not take it'):
            open_runtime(unknown, make_settings(name))

    @pytest.mark.parametrize('name', ALL_RUNTIMES)
    @pytest.mark.parametrize('device', ['nowhere', 'cuda:7', 'cpu:1', ''])
    def test_a_device_that_is_not_there_is_refused_by_name(self, channel_model, name, device):
        with pytest.raises(RuntimeUnavailableError, match=f'^{name}: .*{device!r}'):
            open_runtime(channel_model, make_settings(name, device=device))

    @pytest.mark.parametrize('name', ALL_RUNTIMES)
    def test_a_precision_that_is_not_there_is_refused_by_name(self, channel_model, name):
        with pytest.raises(RuntimeUnavailableError, match=f'^{name}: .*int8.* fp32'):
            open_runtime(channel_model, make_settings(name, precision='int8'))


class TestLifeCycle:
    def test_it_says_what_it_runs_on(self, runtime):
        assert runtime.precision == 'fp32'
        assert 'CPU' in runtime.device

    def test_it_says_what_it_takes_and_gives(self, runtime):
        spec = runtime.input_spec
        assert (spec.name, spec.dtype, spec.shape) == ('image', 'uint8', (None, None, None, 3))
        assert runtime.has_confidence

    def test_a_closed_runtime_says_so(self, runtime):
        runtime.close()
        with pytest.raises(InferenceError, match=r'not open; call open\(\) first'):
            runtime.infer(random_batch(1, 16, 32, 3))

    def test_closing_and_opening_twice_does_no_harm(self, runtime):
        runtime.open()
        runtime.close()
        runtime.close()
        runtime.open()
        assert runtime.infer(random_batch(1, 16, 32, 3)).labels.shape == (1, 16, 32)

    @pytest.mark.parametrize('name', ALL_RUNTIMES)
    @pytest.mark.parametrize('device', ['auto', 'cpu', 'CPU'])
    def test_the_cpu_may_be_asked_for_in_any_case(self, channel_model, name, device):
        with open_runtime(channel_model, make_settings(name, device=device)) as runtime:
            assert 'CPU' in runtime.device
