"""One pass over the scores gives the labels of the exported graph."""

from __future__ import annotations

from espnet_ros.model_file import ModelFile, open_model
from espnet_ros.model_file.graph.editing import drop_output
from espnet_ros.model_file.graph.one_pass_head import compute_head_in_one_pass
from fake_tensorrt.board import as_model_file, make_network
import numpy as np
import pytest

onnxruntime = pytest.importorskip('onnxruntime')


def run(model: ModelFile, image: np.ndarray) -> dict[str, np.ndarray]:
    """Compute the outputs with the plain ONNX Runtime."""
    session = onnxruntime.InferenceSession(model.data)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {'image': image}), strict=True))


def kinds(model: ModelFile) -> set[str]:
    return {node.op_type for node in model.proto.graph.node}


def noise(model: ModelFile) -> np.ndarray:
    """Return an image of noise, whose scores are close together."""
    shape = (1, *model.info.input_size, 3)
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.fixture
def shipped() -> ModelFile:
    """Return a model that ships with the package: 12 classes."""
    return open_model('espnet_p2_q8_camvid_street')


def test_one_pass_gives_equal_labels_and_the_confidence_within_one(shipped: ModelFile) -> None:
    model = shipped.rewritten(compute_head_in_one_pass)
    assert not kinds(model) & {'ArgMax', 'Softmax'}
    image = noise(shipped)
    expected, found = run(shipped, image), run(model, image)
    np.testing.assert_array_equal(found['labels'], expected['labels'])
    difference = np.abs(found['confidence'].astype(int) - expected['confidence'])
    assert difference.max() <= 1
    assert np.mean(difference > 0) < 1e-3


def test_of_equal_scores_the_first_class_is_taken() -> None:
    brightest = as_model_file(make_network())
    model = brightest.rewritten(compute_head_in_one_pass)
    assert 'ArgMax' not in kinds(model)
    grey = np.full((1, 16, 32, 3), 90, np.uint8)
    grey[:, :8, :, 0] = 10  # there two are left
    labels = run(model, grey)['labels']
    np.testing.assert_array_equal(labels, run(brightest, grey)['labels'])
    assert set(np.unique(labels)) == {0, 1}


def test_a_graph_of_labels_alone_is_rewritten_too(shipped: ModelFile) -> None:
    alone = shipped.rewritten(lambda proto: drop_output(proto, 'confidence'))
    model = alone.rewritten(compute_head_in_one_pass)
    assert not kinds(model) & {'ArgMax', 'Softmax', 'Exp'}
    image = noise(shipped)
    np.testing.assert_array_equal(run(model, image)['labels'], run(shipped, image)['labels'])


@pytest.mark.parametrize(
    ('node', 'attribute', 'value'), [('ArgMax', 'axis', 2), ('Softmax', 'axis', 2)]
)
def test_another_head_is_left_as_it_is(node: str, attribute: str, value: int) -> None:
    proto = make_network()
    changed = next(entry for entry in proto.graph.node if entry.op_type == node)
    next(entry for entry in changed.attribute if entry.name == attribute).i = value
    before = [entry.op_type for entry in proto.graph.node]
    compute_head_in_one_pass(proto)
    assert [entry.op_type for entry in proto.graph.node] == before
