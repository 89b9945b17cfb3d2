"""The networks that engines are built from: what TensorRT's parsers take, in every version."""

from __future__ import annotations

from collections import Counter
from functools import partial

from espnet_ros.exceptions import InputError, ModelError, RuntimeUnavailableError
from espnet_ros.export.quantization import ends_of, quantize_model
from espnet_ros.export.sensitivity import as_float, quantized_layers, relieve
from espnet_ros.model_file import ModelFile, open_model
from espnet_ros.model_file.graph import half_types
from espnet_ros.model_file.graph.image_resize import resize_in_graph
from espnet_ros.model_file.published import PUBLISHED
from espnet_ros.model_file.store import SHIPPED_MODELS
from espnet_ros.runtimes.tensorrt.building.inspection import main_precision
from espnet_ros.runtimes.tensorrt.building.network import fit_network
from espnet_ros.runtimes.tensorrt.machine import jetpack_of
from espnet_ros.runtimes.tensorrt.runtime import TensorrtRuntime
from fake_tensorrt.board import as_model_file, deeper_model, labels_of, make_batch, make_network
from fake_tensorrt.library import VERSIONS
from fake_tensorrt.parsing import find_errors
from golden import GOLDEN_IDS, GOLDEN_MAPS
import numpy as np
import onnx
import pytest

onnxruntime = pytest.importorskip('onnxruntime')


def resizing(model: ModelFile) -> ModelFile:
    return model.rewritten(partial(resize_in_graph, size=model.info.input_size))


def run(data: bytes, batch: np.ndarray) -> np.ndarray:
    return onnxruntime.InferenceSession(data).run(['labels'], {'image': batch})[0]


pytestmark = pytest.mark.slow

LONG = ('espnetv2', 'enet_', 'espnet_p2_q3', 'espnet_p2_q5', 'espnet_c_p2_q5', 'espnet_c_p2_q8')


@pytest.mark.parametrize('resize', ['host', 'device'])
@pytest.mark.parametrize(
    'name',
    [
        # Networks of the same parts, in several sizes, and the slowest to export.
        pytest.param(model.name, marks=[pytest.mark.long] * model.name.startswith(LONG))
        for model in PUBLISHED
    ],
)
def test_published_models_suit_every_version(published_model, name, resize):
    model = published_model(name)
    size = None
    if resize == 'device':
        model, size = resizing(model), (1024, 2048)
    fitted = onnx.load_model_from_string(fit_network(model, 1, as_half=False, image_size=size))
    for version in VERSIONS:
        assert find_errors(fitted, version) == []
    assert {n.op_type for n in fitted.graph.node}.isdisjoint({'MaxUnpool', 'NonZero'})


def check_labels(model: ModelFile, batch: np.ndarray) -> None:
    """Compare what is compiled with the exported graph."""
    computed = model.rewritten(*TensorrtRuntime.rewrites)
    found, expected = (
        onnxruntime.InferenceSession(data).run(['labels', 'confidence'], {'image': batch})
        for data in (fit_network(computed, len(batch), as_half=False), model.data)
    )
    assert len(np.unique(expected[0])) > 4
    np.testing.assert_array_equal(found[0], expected[0])
    difference = np.abs(found[1].astype(int) - expected[1])
    assert difference.max() <= 1
    assert np.mean(difference > 0) < 1e-3


@pytest.mark.parametrize('name', SHIPPED_MODELS)
def test_what_is_compiled_labels_noise_as_the_exported_graph(name):
    model = open_model(name)
    shape = (1, *model.info.input_size, 3)
    check_labels(model, np.random.default_rng(0).integers(0, 256, shape, np.uint8))


@pytest.mark.long
@pytest.mark.parametrize('golden', GOLDEN_MAPS, ids=GOLDEN_IDS)
def test_what_is_compiled_labels_images_as_the_exported_graph(
    published_model, shared_data, golden
):
    check_labels(published_model(golden.model), golden.uint8_batch(shared_data))


@pytest.mark.parametrize('as_half', [False, True])
@pytest.mark.parametrize('batch_size', [2, None])
@pytest.mark.parametrize('size', [(48, 64), (None, None)])
def test_a_network_that_resizes_is_fitted_to_its_images(brightest, as_half, batch_size, size):
    fitted = fit_network(resizing(brightest), batch_size, as_half=as_half, image_size=size)
    batch = make_batch(2)
    found = run(fitted, batch.repeat(3, axis=1).repeat(2, axis=2))
    np.testing.assert_array_equal(found, labels_of(batch))
    proto = onnx.load_model_from_string(fitted)
    assert all(find_errors(proto, version) == [] for version in VERSIONS)
    dims = proto.graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_value or None for d in dims[1:]] == [*size, 3]
    assert sum(n.op_type == 'Resize' for n in proto.graph.node) == 1


@pytest.mark.parametrize('as_half', [False, True])
@pytest.mark.parametrize('batch_size', [2, None])
def test_the_fitted_network_labels_as_the_model_does(brightest, as_half, batch_size):
    fitted = fit_network(brightest, batch_size, as_half=as_half)
    batch = make_batch(2)
    np.testing.assert_array_equal(run(fitted, batch), labels_of(batch))
    dims = onnx.load_model_from_string(fitted).graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_value for d in dims[1:]] == [16, 32, 3]
    assert dims[0].HasField('dim_value') == (batch_size is not None)


def test_the_stand_in_refuses_types_that_the_parser_does(brightest):
    proto = onnx.load_model_from_string(brightest.data)
    softmax = next(node for node in proto.graph.node if node.op_type == 'Softmax')
    softmax.input[0] = 'ids'
    assert any('Softmax' in words for _, words in find_errors(proto, '8.6.1'))


@pytest.mark.parametrize('as_half', [False, True])
def test_without_confidence_nothing_is_computed_for_it(brightest, as_half):
    proto = onnx.load_model_from_string(
        fit_network(brightest, 1, as_half=as_half, has_confidence=False)
    )
    onnx.checker.check_model(proto, full_check=True)
    assert [value.name for value in proto.graph.output] == ['labels']
    kinds = {node.op_type for node in proto.graph.node}
    assert kinds.isdisjoint({'Softmax', 'Exp', 'Round'})
    assert 'full' not in {entry.name for entry in proto.graph.initializer}
    batch = make_batch(1)
    np.testing.assert_array_equal(run(proto.SerializeToString(), batch), labels_of(batch))
    assert all(find_errors(proto, version) == [] for version in VERSIONS)


def test_half_precision_leaves_no_float_weights(brightest):
    proto = onnx.load_model_from_string(fit_network(brightest, 1, as_half=True))
    kinds = {entry.data_type for entry in proto.graph.initializer}
    assert onnx.TensorProto.FLOAT16 in kinds
    assert onnx.TensorProto.FLOAT not in kinds


def test_half_precision_without_its_converter_is_told(brightest, monkeypatch):
    def refuse(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(half_types, 'import_module', refuse)
    with pytest.raises(RuntimeUnavailableError, match='pip install onnxruntime'):
        fit_network(brightest, 1, as_half=True)


def test_labels_cast_from_integers_go_through_float(channel_model):
    fitted = onnx.load_model_from_string(fit_network(channel_model, 1, as_half=False))
    fitted.opset_import[0].version = 17
    assert find_errors(fitted, '10.3.0') == []


def test_an_image_whose_channels_are_turned_before_the_cast_is_cast_first():
    proto = make_network()
    order = onnx.numpy_helper.from_array(np.array([2, 1, 0]), 'order')
    proto.graph.initializer.append(order)
    turn = onnx.helper.make_node('Gather', ['image', 'order'], ['turned'], axis=3)
    proto.graph.node.insert(0, turn)
    proto.graph.node[1].input[0] = 'turned'
    batch = make_batch(1)
    for as_half in (False, True):
        fitted = fit_network(as_model_file(proto), 1, as_half=as_half)
        assert find_errors(onnx.load_model_from_string(fitted), '10.3.0') == []
        np.testing.assert_array_equal(run(fitted, batch), 2 - labels_of(batch))


def test_a_graph_of_another_fixed_size_is_refused():
    proto = make_network()
    proto.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 64
    with pytest.raises(ModelError, match='takes 64 where 16 is requested'):
        fit_network(as_model_file(proto), 1, as_half=False)


def test_quantising_keeps_the_ends_float(brightest):
    graph = brightest.proto.graph
    assert ends_of(graph) == {'stem', 'up'}


def test_a_quantised_model_is_one_that_every_version_takes():
    model = deeper_model()
    assert not model.is_quantized
    quantized = quantize_model(model, list(make_batch(4)))
    assert quantized.is_quantized
    assert quantized.info.name == 'brightest_int8'
    batch = make_batch(1, seed=9)
    np.testing.assert_array_equal(run(quantized.data, batch), labels_of(batch))
    fitted = onnx.load_model_from_string(fit_network(quantized, 1, as_half=False))
    assert all(find_errors(fitted, version) == [] for version in VERSIONS)


def test_half_precision_leaves_a_quantised_model_int8_and_fp16_alone():
    quantized = quantize_model(deeper_model(), list(make_batch(4)))
    proto = onnx.load_model_from_string(fit_network(quantized, 1, as_half=True))
    onnx.checker.check_model(proto, full_check=True)
    assert find_errors(proto, '11.1') == []
    types = onnx.TensorProto
    kinds = {entry.data_type for entry in proto.graph.initializer}
    assert types.FLOAT not in kinds
    assert {types.FLOAT16, types.INT8} <= kinds
    producers = {name: node for node in proto.graph.node for name in node.output}
    middle = next(node for node in proto.graph.node if node.name == 'middle')
    assert {producers[name].op_type for name in middle.input} == {'DequantizeLinear'}
    batch = make_batch(1, seed=9)
    np.testing.assert_array_equal(run(proto.SerializeToString(), batch), labels_of(batch))


def test_the_original_is_not_changed_by_quantising():
    model = deeper_model()
    before = bytes(model.data)
    quantize_model(model, list(make_batch(2)))
    assert model.data == before


def test_quantising_twice_or_with_nothing_is_refused():
    model = deeper_model()
    with pytest.raises(InputError, match='expected some images'):
        quantize_model(model, [])
    quantized = quantize_model(model, list(make_batch(2)))
    with pytest.raises(ModelError, match='quantised already'):
        quantize_model(quantized, list(make_batch(2)))


def test_layers_that_int8_harms_become_float_again():
    model = deeper_model()
    images = list(make_batch(2))
    quantized = onnx.load_model_from_string(quantize_model(model, images).data)
    scale = next(e for e in quantized.graph.initializer if e.name.startswith('small_scale'))
    scale.CopyFrom(onnx.numpy_helper.from_array(np.array(1e-6, np.float32), scale.name))
    original = onnx.load_model_from_string(model.data)
    relieved = relieve(quantized, original, images)
    assert (relieved.float_layers, relieved.layers) == (1, 1)
    assert relieved.agreement == 1
    assert quantized_layers(relieved.proto) == []
    assert quantized_layers(as_float(quantized, [])) == ['middle']


@pytest.mark.parametrize('board', ['10.3.0', '11.1'], indirect=True)
def test_a_quantised_model_becomes_an_int8_engine(board):
    quantized = quantize_model(deeper_model(), list(make_batch(4)))
    with board.runtime(quantized) as runtime:
        assert runtime.precision == 'int8'
    with pytest.raises(RuntimeUnavailableError, match='is a quantised model'):
        board.runtime(quantized, precision='fp16').open()


@pytest.mark.parametrize(
    ('release', 'pack'),
    [
        ('36.4.3', '6.2'),
        ('36.4.7', '6.2.1'),
        ('36.3.0', '6.0'),
        ('35.6.1', None),
        ('38.2.1', '7.0'),
        ('39.2.0', '7.2'),
        ('40.1', None),
    ],
)
def test_jetpacks_are_known_by_their_jetson_linux(release, pack):
    assert jetpack_of(release) == pack


def test_an_engine_without_the_precision_asked_for_is_told():
    assert main_precision(Counter(fp32=7), 'fp16') == 'fp32'
    assert main_precision(Counter(fp32=1, fp16=5), 'fp16') == 'fp16'
    assert main_precision(Counter(), 'fp16') == 'fp16'
