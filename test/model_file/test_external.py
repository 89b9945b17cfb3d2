"""ONNX files of another origin become model files that every runtime takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import warnings

from espnet_ros.config import ForeignModelSettings, RuntimeSettings
from espnet_ros.exceptions import ConfigError, ModelError
from espnet_ros.model_file.external import adapt_external
from espnet_ros.model_file.external_graph import DEFAULT_INPUT_SIZE
from espnet_ros.model_file.file_format import check_interface
from espnet_ros.runtimes.factory import open_runtime, runtime_report
from espnet_ros.segmenter import Segmenter
import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
import pytest

USABLE = [status.name for status in runtime_report() if status.usable]
RUNTIMES = [name for name in ('openvino', 'onnxruntime') if name in USABLE]
NAMES = ForeignModelSettings(class_names=('red', 'green', 'blue'))

Shape = list[int | str]
OPEN: Shape = ['a', 'b', 'c', 'd']


def save_graph(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: list[tuple[str, int, Shape]],
    outputs: list[tuple[str, int, Shape]],
    *,
    opset: int = 17,
    initializers: list[onnx.TensorProto] | None = None,
) -> Path:
    """Write an ONNX file."""
    graph = helper.make_graph(
        nodes,
        'elsewhere',
        [helper.make_tensor_value_info(*value) for value in inputs],
        [helper.make_tensor_value_info(*value) for value in outputs],
        initializers or [],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid('', opset)], ir_version=8),
        path,
    )
    return path


def save_brightest_channel(
    path: Path, shape: Shape, *, opset: int = 17, element_type: int = TensorProto.FLOAT
) -> Path:
    """Write a network whose logits are its three input channels."""
    return save_graph(
        path,
        [helper.make_node('Identity', ['image'], ['labels'])],
        [('image', element_type, shape)],
        [('labels', element_type, shape)],
        opset=opset,
    )


def stripes_bgr(height: int, width: int) -> np.ndarray:
    """Return an image whose thirds are blue, green and red."""
    image = np.zeros((height, width, 3), np.uint8)
    for channel, columns in enumerate(np.array_split(np.arange(width), 3)):
        image[:, columns, channel] = 200
    return image


@pytest.fixture(params=RUNTIMES)
def segment(request: pytest.FixtureRequest) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Return a function that runs a foreign file on an image, on each runtime."""

    def run(
        path: Path, settings: ForeignModelSettings, image_bgr: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        model = adapt_external(path, settings)
        check_interface(onnx.load_model_from_string(model.data), str(path))
        runtime = open_runtime(model, RuntimeSettings(runtime=request.param, precision='fp32'))
        with Segmenter(runtime) as segmenter:
            result = segmenter.segment([image_bgr], confidence=True)[0]
        return result.labels, result.confidence

    return run


@pytest.mark.parametrize('shape', [[1, 3, 32, 48], ['N', 3, 'H', 'W'], [1, 32, 48, 3]])
@pytest.mark.parametrize('opset', [11, 13, 17, 18, 21])
def test_channels_become_classes_in_the_order_of_the_file(segment, tmp_path, shape, opset):
    path = save_brightest_channel(tmp_path / 'net.onnx', shape, opset=opset)
    labels, _ = segment(path, NAMES, stripes_bgr(32, 48))
    np.testing.assert_array_equal(labels[0], np.repeat([2, 1, 0], 16))


def test_bgr_files_get_the_channels_as_the_camera_gives_them(segment, tmp_path):
    path = save_brightest_channel(tmp_path / 'net.onnx', [1, 3, 32, 48])
    settings = ForeignModelSettings(channel_order='bgr')
    labels, _ = segment(path, settings, stripes_bgr(32, 48))
    np.testing.assert_array_equal(labels[0], np.repeat([0, 1, 2], 16))


def test_scale_mean_and_std_are_applied_in_the_channel_order_of_the_file(segment, tmp_path):
    path = save_brightest_channel(tmp_path / 'net.onnx', [1, 3, 32, 48])
    settings = ForeignModelSettings(scale=1 / 255, mean=(0.5, 0.1, 0.2), std=(0.5, 1.0, 0.25))
    image = np.full((32, 48, 3), (30, 90, 180), np.uint8)
    rgb = image[0, 0, ::-1] / 255
    logits = (rgb - [0.5, 0.1, 0.2]) / [0.5, 1.0, 0.25]
    probability = np.exp(logits) / np.exp(logits).sum()
    labels, confidence = segment(path, settings, image)
    assert (labels == logits.argmax()).all()
    assert (abs(confidence.astype(int) - 255 * probability.max()) <= 1).all()


def test_half_precision_files_are_fed_half_precision(segment, tmp_path):
    path = save_brightest_channel(
        tmp_path / 'net.onnx', [1, 3, 32, 48], element_type=TensorProto.FLOAT16
    )
    labels, _ = segment(path, NAMES, stripes_bgr(32, 48))
    np.testing.assert_array_equal(labels[0], np.repeat([2, 1, 0], 16))


@pytest.mark.parametrize('shape', [[1, 3, 64, 96], ['N', 3, 'H', 'W']])
def test_small_logits_are_enlarged_to_the_image(segment, tmp_path, shape):
    pool = helper.make_node(
        'AveragePool', ['image'], ['logits'], kernel_shape=[8, 8], strides=[8, 8]
    )
    path = save_graph(
        tmp_path / 'net.onnx',
        [pool],
        [('image', TensorProto.FLOAT, shape)],
        [('logits', TensorProto.FLOAT, OPEN)],
    )
    labels, confidence = segment(path, NAMES, stripes_bgr(64, 96))
    assert labels.shape == confidence.shape == (64, 96)
    np.testing.assert_array_equal(labels[0], np.repeat([2, 1, 0], 32))


def test_logits_with_the_classes_last_are_told_by_the_names(segment, tmp_path):
    path = save_graph(
        tmp_path / 'net.onnx',
        [helper.make_node('Transpose', ['x'], ['y'], perm=[0, 2, 3, 1])],
        [('x', TensorProto.FLOAT, [1, 3, 32, 48])],
        [('y', TensorProto.FLOAT, [1, 32, 48, 3])],
    )
    labels, _ = segment(path, NAMES, stripes_bgr(32, 48))
    np.testing.assert_array_equal(labels[0], np.repeat([2, 1, 0], 16))


@pytest.mark.parametrize('keepdims', [0, 1])
@pytest.mark.parametrize('shrink', [1, 2])
def test_labels_pass_through_with_full_confidence(segment, tmp_path, keepdims, shrink):
    nodes = [
        helper.make_node('MaxPool', ['x'], ['small'], kernel_shape=[1, 1], strides=[shrink] * 2),
        helper.make_node('ArgMax', ['small'], ['y'], axis=1, keepdims=keepdims),
    ]
    path = save_graph(
        tmp_path / 'net.onnx',
        nodes,
        [('x', TensorProto.FLOAT, [1, 3, 32, 48])],
        [('y', TensorProto.INT64, OPEN[: 3 + keepdims])],
    )
    labels, confidence = segment(path, NAMES, stripes_bgr(32, 48))
    np.testing.assert_array_equal(labels[0], np.repeat([2, 1, 0], 16))
    assert (confidence == 255).all()


@pytest.mark.parametrize('name', RUNTIMES)
def test_batches_run_on_files_with_a_fixed_batch_size(tmp_path, name):
    path = save_brightest_channel(tmp_path / 'net.onnx', [2, 3, 32, 48])
    images = [np.full((32, 48, 3), color, np.uint8) for color in np.eye(3, dtype=int) * 200]
    runtime = open_runtime(adapt_external(path, NAMES), RuntimeSettings(runtime=name))
    with Segmenter(runtime) as segmenter:
        results = segmenter.segment(images, confidence=True)
    assert [int(r.labels.mean()) for r in results] == [2, 1, 0]


def test_tensor_names_of_the_file_do_not_matter(segment, tmp_path):
    nodes = [
        helper.make_node('Identity', ['confidence'], ['image']),
        helper.make_node('Identity', ['image'], ['labels']),
    ]
    path = save_graph(
        tmp_path / 'net.onnx',
        nodes,
        [('confidence', TensorProto.FLOAT, [1, 3, 32, 48])],
        [('labels', TensorProto.FLOAT, [1, 3, 32, 48])],
    )
    labels, _ = segment(path, NAMES, stripes_bgr(32, 48))
    assert labels[0, 0] == 2


def test_weights_in_a_file_beside_are_found(segment, tmp_path):
    weight = np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1)
    path = save_graph(
        tmp_path / 'net.onnx',
        [helper.make_node('Conv', ['x', 'weight'], ['y'])],
        [('x', TensorProto.FLOAT, [1, 3, 32, 48])],
        [('y', TensorProto.FLOAT, [1, 3, 32, 48])],
        initializers=[numpy_helper.from_array(weight, 'weight')],
    )
    onnx.save(
        onnx.load(path), path, save_as_external_data=True, location='net.data', size_threshold=0
    )
    labels, _ = segment(path, NAMES, stripes_bgr(32, 48))
    np.testing.assert_array_equal(labels[0], np.repeat([2, 1, 0], 16))

    (tmp_path / 'net.data').unlink()
    with pytest.raises(ModelError, match=r'net\.onnx: not .*weight'):
        adapt_external(path, NAMES)


def test_a_torch_export_runs(segment, tmp_path):
    torch = pytest.importorskip('torch')
    pytest.importorskip('onnxscript')
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False),
        torch.nn.Conv2d(4, 5, 1),
    ).eval()
    path = tmp_path / 'net.onnx'
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        torch.onnx.export(network, (torch.zeros(1, 3, 32, 64),), path, verbose=False)
    image = np.random.default_rng(0).integers(0, 256, (32, 64, 3), np.uint8)
    labels, _ = segment(path, ForeignModelSettings(scale=1 / 255), image)
    with torch.no_grad():
        tensor = torch.tensor(image[..., ::-1].copy()).permute(2, 0, 1)[None] / 255
        logits = torch.nn.functional.interpolate(network(tensor), (32, 64), mode='bilinear')
    agreement = (labels == logits.argmax(1)[0].numpy()).mean()
    assert agreement > 0.999


def test_the_model_file_says_where_it_came_from(tmp_path):
    path = save_brightest_channel(tmp_path / 'my_net.onnx', ['N', 3, 'H', 'W'])
    info = adapt_external(path, ForeignModelSettings()).info
    assert (info.name, info.architecture, info.source) == ('my_net', 'foreign', str(path))
    assert info.input_size == DEFAULT_INPUT_SIZE
    assert info.label_set.names == ('class_0', 'class_1', 'class_2')


def test_sizes_that_the_file_fixes_are_kept(tmp_path):
    path = save_brightest_channel(tmp_path / 'net.onnx', [1, 3, 33, 'W'])
    info = adapt_external(path, NAMES).info
    assert (info.input_size, info.size_multiple) == ((33, DEFAULT_INPUT_SIZE[1]), 1)


FLOAT, INT64, UINT8 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.UINT8
IDENTITY = [helper.make_node('Identity', ['x'], ['y'])]
ADD = [helper.make_node('Add', ['x', 'z'], ['y'])]
TWO = [*IDENTITY, helper.make_node('Identity', ['x'], ['z'])]
MEAN = [helper.make_node('ReduceMean', ['x'], ['y'], axes=[2, 3], keepdims=0)]
FIRST = [helper.make_node('Identity', ['x'], ['y'])]
IMAGE_SHAPE: Shape = [1, 3, 32, 48]


@pytest.mark.parametrize(
    ('nodes', 'inputs', 'outputs', 'message'),
    [
        (ADD, [('x', FLOAT, IMAGE_SHAPE), ('z', FLOAT, [1])], [('y', FLOAT, OPEN)], 'one float'),
        (IDENTITY, [('x', FLOAT, [1, 3, 32])], [('y', FLOAT, OPEN[:3])], r'x: float of shape \(1'),
        (IDENTITY, [('x', UINT8, IMAGE_SHAPE)], [('y', UINT8, OPEN)], 'found x: uint8'),
        (IDENTITY, [('x', FLOAT, [1, 4, 8, 8])], [('y', FLOAT, OPEN)], r'\(1, 4, 8, 8\)'),
        (TWO, [('x', FLOAT, IMAGE_SHAPE)], [('y', FLOAT, OPEN), ('z', FLOAT, OPEN)], 'y: .*; z:'),
        (MEAN, [('x', FLOAT, IMAGE_SHAPE)], [('y', FLOAT, [1, 3])], r'found y: float of shape'),
    ],
)
def test_other_graphs_are_refused_in_words(tmp_path, nodes, inputs, outputs, message):
    path = save_graph(tmp_path / 'net.onnx', nodes, inputs, outputs)
    with pytest.raises(ModelError, match=message):
        adapt_external(path, ForeignModelSettings())


def test_a_single_channel_is_no_choice_of_classes(tmp_path):
    path = save_graph(
        tmp_path / 'net.onnx',
        [helper.make_node('ReduceMean', ['x'], ['y'], axes=[1])],
        [('x', FLOAT, IMAGE_SHAPE)],
        [('y', FLOAT, [1, 1, 32, 48])],
    )
    with pytest.raises(ModelError, match='at least 2 classes'):
        adapt_external(path, ForeignModelSettings())


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (ForeignModelSettings(class_names=('road', 'car')), 'as the file has classes, 3, found 2'),
        (ForeignModelSettings(mean=(1.0, 2.0)), 'one or three values of mean, found 2'),
        (ForeignModelSettings(std=(1.0,) * 4), 'one or three values of std, found 4'),
    ],
)
def test_settings_that_do_not_fit_the_file_are_refused(tmp_path, settings, message):
    path = save_brightest_channel(tmp_path / 'net.onnx', IMAGE_SHAPE)
    with pytest.raises(ModelError, match=message):
        adapt_external(path, settings)


def test_a_class_name_given_twice_is_refused(tmp_path):
    path = save_brightest_channel(tmp_path / 'net.onnx', IMAGE_SHAPE)
    with pytest.raises(ConfigError, match='found twice: road'):
        adapt_external(path, ForeignModelSettings(class_names=('road', 'road', 'car')))


def test_labels_without_names_are_refused(tmp_path):
    path = save_graph(
        tmp_path / 'net.onnx',
        [
            helper.make_node('ReduceMax', ['x'], ['z'], axes=[1], keepdims=0),
            helper.make_node('Cast', ['z'], ['y'], to=INT64),
        ],
        [('x', FLOAT, IMAGE_SHAPE)],
        [('y', INT64, [1, 32, 48])],
    )
    with pytest.raises(ModelError, match='expected class_names'):
        adapt_external(path, ForeignModelSettings())


def test_more_classes_than_a_mask_can_hold_are_refused(tmp_path):
    path = save_graph(
        tmp_path / 'net.onnx',
        [helper.make_node('Concat', ['x'] * 86, ['y'], axis=1)],
        [('x', FLOAT, IMAGE_SHAPE)],
        [('y', FLOAT, OPEN)],
    )
    with pytest.raises(ModelError, match='at most 255 classes, found 258'):
        adapt_external(path, ForeignModelSettings())


def test_what_is_no_onnx_file_is_refused(tmp_path):
    path = tmp_path / 'net.onnx'
    path.write_bytes(b'nonsense')
    with pytest.raises(ModelError, match='not a valid ONNX file'):
        adapt_external(path, NAMES)
