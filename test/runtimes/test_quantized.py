"""What the runtimes of a CPU say of a model that was quantised."""

from __future__ import annotations

from importlib.util import find_spec

from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import RuntimeUnavailableError
from espnet_ros.export.quantization import quantize_model
from espnet_ros.model_file import ModelFile
from espnet_ros.runtimes.factory import open_runtime
from fake_tensorrt.board import deeper_model, labels_of, make_batch
import numpy as np
import pytest

pytest.importorskip('onnxruntime', reason='quantises')
RUNTIMES = [
    pytest.param(
        'openvino',
        marks=pytest.mark.skipif(find_spec('openvino') is None, reason='no openvino'),
    ),
    'onnxruntime',
]


@pytest.fixture(scope='module')
def quantized() -> ModelFile:
    return quantize_model(deeper_model(), list(make_batch(4)))


@pytest.mark.parametrize('precision', ['auto', 'int8'])
@pytest.mark.parametrize('name', RUNTIMES)
def test_it_runs_in_int8(quantized: ModelFile, name: str, precision: str) -> None:
    batch = make_batch(1, seed=9)
    settings = RuntimeSettings(runtime=name, precision=precision)
    with open_runtime(quantized, settings) as runtime:
        assert runtime.precision == 'int8'
        np.testing.assert_array_equal(runtime.infer(batch).labels, labels_of(batch))


@pytest.mark.parametrize('name', RUNTIMES)
def test_another_arithmetic_is_refused(quantized: ModelFile, name: str) -> None:
    with pytest.raises(RuntimeUnavailableError, match='no precision fp32 for brightest_int8'):
        open_runtime(quantized, RuntimeSettings(runtime=name, precision='fp32'))


@pytest.mark.parametrize('name', RUNTIMES)
def test_a_float_model_has_no_int8(name: str) -> None:
    with pytest.raises(RuntimeUnavailableError, match=r'no precision int8 for .*espnet-ros build'):
        open_runtime(deeper_model(), RuntimeSettings(runtime=name, precision='int8'))
