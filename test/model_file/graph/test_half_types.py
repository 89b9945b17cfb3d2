"""FP16 types in graphs of any form."""

from __future__ import annotations

from espnet_ros.exceptions import ModelError
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.graph.half_types import to_half_types
from fake_tensorrt.board import as_model_file, labels_of, make_batch, make_network
import numpy as np
import onnx
from onnx import helper, numpy_helper
import pytest

onnxruntime = pytest.importorskip('onnxruntime')


def resizing_by_constant_nodes() -> ModelFile:
    """Return a network that halves by a Resize whose scales come from a Constant node."""
    proto = make_network()
    scales = numpy_helper.from_array(np.array([1, 1, 0.5, 0.5], np.float32))
    conv = next(node for node in proto.graph.node if node.op_type == 'Conv')
    nodes = [
        helper.make_node('Constant', [], ['scales'], value=scales),
        helper.make_node(
            'Resize', ['planes', '', 'scales'], ['small'], mode='nearest', name='halve'
        ),
    ]
    place = list(proto.graph.node).index(conv)
    proto.graph.node.remove(conv)
    for node in reversed(nodes):
        proto.graph.node.insert(place, node)
    return as_model_file(proto)


def test_a_graph_with_constant_nodes_is_sorted_and_labels_as_before() -> None:
    model = resizing_by_constant_nodes()
    before = model.data
    half = model.rewritten(to_half_types)
    onnx.checker.check_model(half.proto, full_check=True)
    kinds = {entry.data_type for entry in half.proto.graph.initializer}
    assert onnx.TensorProto.FLOAT16 in kinds
    batch = make_batch(2)
    found = onnxruntime.InferenceSession(half.data).run(['labels'], {'image': batch})[0]
    np.testing.assert_array_equal(found, labels_of(batch))
    assert model.data == before


def test_a_graph_that_cannot_be_converted_is_told_in_one_line() -> None:
    proto = make_network()
    proto.graph.node[2].input[0] = 'nowhere'
    with pytest.raises(
        ModelError, match=r'cannot be converted to FP16 .*set precision to fp32'
    ) as e:
        as_model_file(proto).rewritten(to_half_types)
    assert '\n' not in str(e.value)
