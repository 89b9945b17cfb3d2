"""What is written into a model file before a runtime computes it, and which runtime gets what."""

from __future__ import annotations

from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import ModelError
from espnet_ros.model_file import ModelFile
from espnet_ros.runtimes.factory import AUTO_ORDER, open_runtime, runtime_report
from espnet_ros.runtimes.graph import chosen_tail, computed_graph, FASTEST_TAIL
from fake_tensorrt.board import labels_of, make_batch
import numpy as np
import onnx
import pytest

USABLE = [status.name for status in runtime_report() if status.usable]
RUNTIMES = [name for name in ('openvino', 'onnxruntime') if name in USABLE]


def kinds_of(model: ModelFile) -> set[str]:
    """Return the operators of a graph."""
    return {node.op_type for node in onnx.load_model_from_string(model.data).graph.node}


@pytest.mark.parametrize('runtime', AUTO_ORDER)
def test_auto_is_what_the_table_says(brightest, runtime):
    assert chosen_tail(RuntimeSettings(), runtime) == FASTEST_TAIL[runtime]
    has_cheap_tail = 'DepthToSpace' in kinds_of(
        computed_graph(brightest, RuntimeSettings(), runtime)
    )
    assert has_cheap_tail == (FASTEST_TAIL[runtime] == 'subpixel')


@pytest.mark.parametrize('runtime', AUTO_ORDER)
def test_the_exported_graph_may_be_asked_for(brightest, runtime):
    assert computed_graph(brightest, RuntimeSettings(tail='exported'), runtime) is brightest


@pytest.mark.parametrize('runtime', RUNTIMES)
@pytest.mark.parametrize('tail', ['auto', 'exported', 'subpixel'])
@pytest.mark.parametrize('resize', ['host', 'device'])
def test_labels_are_the_same_whatever_was_chosen(brightest, runtime, tail, resize):
    settings = RuntimeSettings(runtime=runtime, precision='fp32', tail=tail, resize=resize)
    batch = make_batch(2)
    with open_runtime(brightest, settings) as opened:
        np.testing.assert_array_equal(opened.infer(batch).labels, labels_of(batch))


def test_a_tail_that_does_not_fit_is_refused_where_it_is_asked_for(channel_model):
    assert computed_graph(channel_model, RuntimeSettings(), 'openvino') is channel_model
    with pytest.raises(ModelError, match=r'channels\.onnx: .*set tail to auto or exported'):
        computed_graph(channel_model, RuntimeSettings(tail='subpixel'), 'openvino')
