"""The cheap output head gives the labels and the confidence of the graph that it replaces."""

from __future__ import annotations

from dataclasses import replace

from espnet_ros.labels import LabelSet
from espnet_ros.model_file import ModelFile, ModelInfo
from espnet_ros.model_file.graph.subpixel_head import use_subpixel_head
import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
import pytest
from small_graphs import make_labelling_graph

CLASSES = 5
CHANNELS = 7


def make_model(*, strides: tuple[int, int] = (2, 2), kernel: int = 2) -> ModelFile:
    """Return a model file with random weights that ends as the published networks do."""
    random = np.random.default_rng(1)
    weights = {
        'mix': random.normal(size=(3, CHANNELS)).astype(np.float32) / 64,
        'up': random.normal(size=(CHANNELS, CLASSES, kernel, kernel)).astype(np.float32),
        'full': np.array(255, np.float32),
    }
    nodes = [
        helper.make_node('Cast', ['image'], ['values'], to=TensorProto.FLOAT),
        helper.make_node('MatMul', ['values', 'mix'], ['mixed']),
        helper.make_node('Transpose', ['mixed'], ['features'], perm=[0, 3, 1, 2]),
        helper.make_node(
            'AveragePool', ['features'], ['half'], kernel_shape=[2, 2], strides=[2, 2]
        ),
        helper.make_node('ConvTranspose', ['half', 'up'], ['logits'], strides=strides, name='up'),
        helper.make_node('ArgMax', ['logits'], ['ids'], axis=1, keepdims=0),
        helper.make_node('Cast', ['ids'], ['labels'], to=TensorProto.UINT8),
        helper.make_node('Softmax', ['logits'], ['probabilities'], axis=1),
        helper.make_node('ReduceMax', ['probabilities'], ['best'], axes=[1], keepdims=0),
    ]
    graph = make_labelling_graph(
        'head',
        nodes,
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
    names = tuple(f'class_{index}' for index in range(CLASSES))
    info = ModelInfo('head', 'foreign', (), (16, 24), LabelSet.from_names(names))
    return ModelFile.create(info, proto)


def run(model: ModelFile, image: np.ndarray) -> list[np.ndarray]:
    """Compute labels and confidence with the plain ONNX Runtime."""
    onnxruntime = pytest.importorskip('onnxruntime')
    session = onnxruntime.InferenceSession(model.data, providers=['CPUExecutionProvider'])
    return list(session.run(['labels', 'confidence'], {'image': image}))


@pytest.mark.parametrize('shape', [(1, 16, 24, 3), (3, 32, 8, 3)])
def test_labels_and_confidence_stay_the_same(shape: tuple[int, ...]) -> None:
    model = make_model()
    image = np.random.default_rng(2).integers(0, 256, shape, dtype=np.uint8)
    labels, confidence = run(model, image)
    fast_labels, fast_confidence = run(model.rewritten(use_subpixel_head), image)
    assert len(np.unique(labels)) > 2
    np.testing.assert_array_equal(fast_labels, labels)
    np.testing.assert_allclose(fast_confidence.astype(int), confidence.astype(int), atol=1)


def test_result_is_a_valid_graph_without_the_slow_head() -> None:
    proto = make_model().rewritten(use_subpixel_head).proto
    onnx.checker.check_model(proto, full_check=True)
    assert 'ConvTranspose' not in {node.op_type for node in proto.graph.node}
    assert 'up' not in {entry.name for entry in proto.graph.initializer}


@pytest.mark.parametrize(('strides', 'kernel'), [((2, 2), 3), ((1, 1), 2)])
def test_other_heads_stay_as_they_are(strides: tuple[int, int], kernel: int) -> None:
    model = make_model(strides=strides, kernel=kernel)
    assert model.rewritten(use_subpixel_head).proto == model.proto


def test_metadata_and_identity_stay() -> None:
    model = replace(make_model(), sha256='1' * 64)
    before = model.data
    fast = model.rewritten(use_subpixel_head)
    assert model.data == before
    properties = {p.key: p.value for p in fast.proto.metadata_props}
    assert properties == model.info.to_metadata()
    assert (fast.info, fast.sha256) == (model.info, model.sha256)
