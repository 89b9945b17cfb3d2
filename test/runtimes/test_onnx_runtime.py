"""What is particular to ONNX Runtime."""

from __future__ import annotations

from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import RuntimeUnavailableError
import numpy as np
import pytest

pytest.importorskip('onnxruntime')
from espnet_ros.runtimes.onnxruntime import OnnxRuntime
import onnxruntime


def test_the_confidence_is_not_in_the_graph_until_it_is_asked_for(channel_model):
    batch = np.zeros((1, 16, 32, 3), np.uint8)
    with OnnxRuntime(channel_model, RuntimeSettings()) as runtime:
        runtime.infer(batch)
        outputs = [o.name for s in runtime._sessions.values() for o in s.get_outputs()]
        assert outputs == ['labels']
        runtime.infer(batch, confidence=True)
        assert len(runtime._sessions) == 2


def test_a_provider_that_does_not_start_is_an_error(channel_model, monkeypatch):
    """ONNX Runtime goes on with the CPU where a provider of its list fails to start."""
    monkeypatch.setattr(
        onnxruntime,
        'get_available_providers',
        lambda: ['CUDAExecutionProvider', 'CPUExecutionProvider'],
    )
    real = onnxruntime.InferenceSession
    monkeypatch.setattr(
        onnxruntime,
        'InferenceSession',
        lambda data, options, providers: real(data, options, providers=['CPUExecutionProvider']),
    )
    with pytest.raises(RuntimeUnavailableError, match='only CPUExecutionProvider could be start'):
        OnnxRuntime(channel_model, RuntimeSettings(device='cuda:0')).open()


@pytest.mark.parametrize('precision', ['fp16', 'bf16', 'int8'])
def test_precisions_other_than_fp32_are_refused(channel_model, precision):
    with pytest.raises(RuntimeUnavailableError, match=f'no precision {precision} .*expected auto'):
        OnnxRuntime(channel_model, RuntimeSettings(precision=precision)).open()


def test_a_service_in_the_cloud_is_no_device(channel_model):
    with pytest.raises(RuntimeUnavailableError, match="no device 'azure'"):
        OnnxRuntime(channel_model, RuntimeSettings(device='azure')).open()


def test_nothing_is_written_to_the_terminal(channel_model, capfd):
    with OnnxRuntime(channel_model, RuntimeSettings()) as runtime:
        runtime.infer(np.zeros((1, 16, 32, 3), np.uint8), confidence=True)
    assert capfd.readouterr() == ('', '')
