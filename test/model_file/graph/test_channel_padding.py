"""Even channel counts change no label and no confidence."""

from __future__ import annotations

from espnet_ros.model_file import ModelFile, open_model
from espnet_ros.model_file.graph.channel_padding import pad_odd_channels
from fake_tensorrt.board import as_model_file, make_network
import numpy as np
import onnx
from onnx import helper, numpy_helper
import pytest

onnxruntime = pytest.importorskip('onnxruntime')


def run(model: ModelFile, image: np.ndarray) -> list[np.ndarray]:
    """Compute labels and confidence with the plain ONNX Runtime."""
    return list(onnxruntime.InferenceSession(model.data).run(None, {'image': image}))


def with_middle(*, group: int = 1, added: bool = False) -> ModelFile:
    """Return a network with a convolution of five channels, and bias, before another."""
    random = np.random.default_rng(0)
    proto = make_network()
    widths = {
        'wide': (5, 3, 3, 3),
        'narrow': (3, 5 // (5 if group > 1 else 1), 3, 3),
        'bias': (5,),
    }
    if group > 1:
        widths['narrow'] = (5, 1, 3, 3)
        widths['last'] = (3, 5, 1, 1)
    for name, shape in widths.items():
        values = random.normal(size=shape).astype(np.float32)
        proto.graph.initializer.append(numpy_helper.from_array(values, name))
    pads = {'pads': [1, 1, 1, 1]}
    nodes = [helper.make_node('Conv', ['small', 'wide', 'bias'], ['five'], **pads)]
    source = 'five'
    if added:
        nodes.append(helper.make_node('Add', ['five', 'five'], ['ten']))
        source = 'ten'
    target = 'grouped' if group > 1 else 'deep'
    nodes.append(helper.make_node('Conv', [source, 'narrow'], [target], group=group, **pads))
    if group > 1:
        nodes.append(helper.make_node('Conv', ['grouped', 'last'], ['deep']))
    for index, node in enumerate(nodes):
        proto.graph.node.insert(3 + index, node)
    next(node for node in proto.graph.node if node.op_type == 'ConvTranspose').input[0] = 'deep'
    return as_model_file(proto)


def sizes(model: ModelFile) -> set[int]:
    """Return the output channels of the convolutions."""
    weights = {e.name: e.dims[0] for e in model.proto.graph.initializer if e.dims}
    return {weights[n.input[1]] for n in model.proto.graph.node if n.op_type == 'Conv'}


def test_an_odd_layer_between_convolutions_becomes_even() -> None:
    model = with_middle()
    padded = model.rewritten(pad_odd_channels)
    onnx.checker.check_model(padded.proto, full_check=True)
    assert (sizes(model), sizes(padded)) == ({3, 5}, {4, 6, 3})
    image = np.random.default_rng(1).integers(0, 256, (2, 16, 32, 3), np.uint8)
    for found, expected in zip(run(padded, image), run(model, image), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize('kind', [{'group': 5}, {'added': True}])
def test_layers_that_something_else_reads_stay_as_they_are(kind: dict) -> None:
    padded = with_middle(**kind).rewritten(pad_odd_channels)
    onnx.checker.check_model(padded.proto, full_check=True)
    assert 5 in sizes(padded)


def test_the_shipped_model_labels_as_before_to_the_bit() -> None:
    model = open_model('espnet_p2_q8_camvid_street')
    padded = model.rewritten(pad_odd_channels)
    assert (25 in sizes(model), 26 in sizes(padded)) == (True, True)
    image = np.random.default_rng(1).integers(0, 256, (1, *model.info.input_size, 3), np.uint8)
    for found, expected in zip(run(padded, image), run(model, image), strict=True):
        np.testing.assert_array_equal(found, expected)
