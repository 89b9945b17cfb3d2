"""
Graphs as other people's exporters write them become models that label the same stripes.

Every network below finds the brightest channel; what differs is how its file says so.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from espnet_ros.config import ForeignModelSettings, RuntimeSettings
from espnet_ros.exceptions import ModelError
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.external import adapt_external
from espnet_ros.runtimes.factory import open_runtime, runtime_report
from espnet_ros.segmenter import Segmenter
import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
import pytest

USABLE = [status.name for status in runtime_report() if status.usable]
RUNTIMES = [name for name in ('openvino', 'onnxruntime') if name in USABLE]
HEIGHT, WIDTH = 32, 96
FIXED: list[Any] = [1, 3, HEIGHT, WIDTH]
NAMED = ['batch', 3, 'height', 'width']
OPEN = ['batch_size', 'num_channels', 'height', 'width']
LAST = [1, HEIGHT, WIDTH, 3]
EYE = np.eye(3, dtype=np.float32)[:, :, None, None]


class Net:
    """Collects the nodes of a network, from ``pixel_values``."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node; return its output."""
        output = f'/{kind}_{len(self.nodes)}'
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def weight(self, value: Any, dtype: Any = np.float32) -> str:
        """Add a weight; return its name."""
        name = f'onnx::weight_{len(self.weights)}'
        self.weights.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def conv(self, value: str = 'pixel_values', weight: Any = EYE, **attributes: Any) -> str:
        """Add a convolution that keeps channels, or has a weight of its own."""
        return self.add('Conv', value, self.weight(weight), **attributes)

    def save(
        self, path: Path, opset: int, image: list[Any], *outputs: tuple[str, int, list[Any]]
    ) -> Path:
        """Write the file; outputs are (value, element type, shape)."""
        graph = helper.make_graph(
            self.nodes,
            'main_graph',
            [helper.make_tensor_value_info('pixel_values', TensorProto.FLOAT, image)],
            [helper.make_tensor_value_info(*output) for output in outputs],
            self.weights,
        )
        opsets = [helper.make_opsetid('', opset)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=7), path)
        return path


F, I64, I32, U8 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32, TensorProto.UINT8


def torchvision(path: Path, opset: int, image: list[Any]) -> Path:
    net = Net()
    small = net.conv(strides=[4, 4])
    net.nodes.append(helper.make_node('Relu', [small], ['out']))
    net.nodes.append(helper.make_node('Neg', [small], ['aux']))
    shape = [image[0], 3, 'h', 'w']
    return net.save(path, opset, image, ('out', F, shape), ('aux', F, shape))


def segformer(path: Path, opset: int, image: list[Any]) -> Path:
    """Patches as tokens, a layer norm, a linear layer, and logits of a quarter of the size."""
    net = Net()
    patches = net.conv(strides=[4, 4])
    shape = net.add('Shape', patches)
    flat = net.add('Reshape', patches, net.weight([0, 0, -1], np.int64))
    tokens = net.add('Transpose', flat, perm=[0, 2, 1])
    mean = net.add('ReduceMean', tokens, axes=[-1], keepdims=1)
    centred = net.add('Sub', tokens, mean)
    mixed = net.add('MatMul', centred, net.weight(np.eye(3)))
    back = net.add('Transpose', mixed, perm=[0, 2, 1])
    logits = net.conv(net.add('Reshape', back, shape))
    return net.save(path, opset, image, (logits, F, ['batch_size', 'num_labels', 'h', 'w']))


def hard_swish(path: Path, opset: int, image: list[Any]) -> Path:
    net = Net()
    value = net.conv()
    if opset >= 14:
        value = net.add('HardSwish', value)
    else:
        gate = net.add('HardSigmoid', value, alpha=1 / 6)
        value = net.add('Mul', value, gate)
    return net.save(path, opset, image, (net.conv(value), F, [image[0], 3, 'h', 'w']))


def upsampled(path: Path, opset: int, image: list[Any]) -> Path:
    """Enlarge by what the graph works out; opset 9 has another operator than 10 and 11."""
    net = Net()
    value = net.conv(strides=[2, 2])
    scales = net.weight([1, 1, 2, 2])
    if opset == 9:
        value = net.add('Upsample', value, net.add('Mul', scales, net.weight(1.0)), mode='linear')
    elif opset == 10:
        value = net.add('Resize', value, net.add('Mul', scales, net.weight(1.0)), mode='linear')
    else:
        empty = net.weight(np.zeros(0))
        value = net.add('Resize', value, empty, net.add('Mul', scales, net.weight(1.0)))
    return net.save(path, opset, image, (value, F, [image[0], 3, *image[2:]]))


def argmax(path: Path, opset: int, image: list[Any], **how: Any) -> Path:
    net = Net()
    element_type = how.pop('cast', I64)
    value = net.add('ArgMax', net.add('Softmax', net.conv(), axis=1), **({'axis': 1} | how))
    if element_type != I64:
        value = net.add('Cast', value, to=element_type)
    shape = ['batch', 'h', 'w'] if how.get('keepdims') == 0 else ['batch', 1, 'h', 'w']
    return net.save(path, opset, image, (value, element_type, shape))


def channels_last(path: Path, opset: int, image: list[Any], *, ids: bool = False) -> Path:
    """As tf2onnx writes them: transposed to the convolution, and back."""
    net = Net()
    value = net.conv(net.add('Transpose', 'pixel_values', perm=[0, 3, 1, 2]))
    value = net.add('Transpose', value, perm=[0, 2, 3, 1])
    if ids:
        value = net.add('ArgMax', value, axis=-1, keepdims=0)
        return net.save(path, opset, image, (value, I64, ['n', 'h', 'w']))
    return net.save(path, opset, image, (value, F, ['n', 'h', 'w', 'c']))


def logits_last(path: Path, opset: int, image: list[Any]) -> Path:
    net = Net()
    weight = np.vstack([EYE, -EYE[:2]])  # five classes, as nothing else is five wide
    value = net.add('Transpose', net.conv(weight=weight), perm=[0, 2, 3, 1])
    return net.save(path, opset, image, (value, F, ['n', 'h', 'w', 5]))


def normalising(path: Path, opset: int, image: list[Any]) -> Path:
    """Take 0 to 1 and normalise inside, before the first convolution."""
    net = Net()
    mean, std = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    value = net.add('Sub', 'pixel_values', net.weight(np.reshape(mean, (1, 3, 1, 1))))
    value = net.add('Div', value, net.weight(np.reshape(std, (1, 3, 1, 1))))
    return net.save(path, opset, image, (net.conv(value), F, OPEN))


def grouped(path: Path, opset: int, image: list[Any]) -> Path:
    net = Net()
    value = net.conv(weight=np.ones((3, 1, 3, 3)) / 9, group=3, pads=[1, 1, 1, 1])
    return net.save(path, opset, image, (net.conv(value), F, OPEN))


def stored_weight(path: Path, opset: int, image: list[Any], *, kind: str) -> Path:
    """Reach the first convolution's weight as exporters and quantisers store it."""
    net = Net()
    if kind == 'constant':
        weight = net.add('Constant', value=numpy_helper.from_array(EYE))
    elif kind == 'identity':
        weight = net.add('Identity', net.weight(EYE))
    else:
        stored = net.weight(EYE * 127, np.int8)
        weight = net.add('DequantizeLinear', stored, net.weight(1 / 127), net.weight(0, np.int8))
    value = net.add('Conv', 'pixel_values', weight)
    return net.save(path, opset, image, (net.add('Relu', value), F, OPEN))


def transposed_convolution(path: Path, opset: int, image: list[Any]) -> Path:
    net = Net()
    small = net.conv(strides=[2, 2])
    up = np.broadcast_to(EYE, (3, 3, 2, 2))
    value = net.add('ConvTranspose', small, net.weight(up), strides=[2, 2])
    return net.save(path, opset, image, (value, F, OPEN))


def pixel_shuffle(path: Path, opset: int, image: list[Any]) -> Path:
    net = Net()
    value = net.conv(weight=np.repeat(EYE, 4, axis=0), strides=[2, 2])
    value = net.add('DepthToSpace', value, blocksize=2, mode='CRD')
    return net.save(path, opset, image, (value, F, [image[0], 3, 'h', 'w']))


Make = Callable[..., Path]
CASES: dict[str, tuple[Make, int, list[Any], dict[str, Any]]] = {
    'torchvision_11': (torchvision, 11, NAMED, {}),
    'torchvision_17': (torchvision, 17, FIXED, {}),
    'torchvision_open': (torchvision, 17, OPEN, {}),
    'segformer_13': (segformer, 13, FIXED, {}),
    'segformer_14_open': (segformer, 14, OPEN, {}),
    'segformer_17_named': (segformer, 17, NAMED, {}),
    'hard_sigmoid_11': (hard_swish, 11, NAMED, {}),
    'hard_sigmoid_12_open': (hard_swish, 12, OPEN, {}),
    'hard_swish_14': (hard_swish, 14, FIXED, {}),
    'hard_swish_18_open': (hard_swish, 18, OPEN, {}),
    'hard_swish_21': (hard_swish, 21, NAMED, {}),
    'upsample_9': (upsampled, 9, FIXED, {}),
    'upsample_9_named': (upsampled, 9, NAMED, {}),
    'resize_10': (upsampled, 10, FIXED, {}),
    'resize_11': (upsampled, 11, NAMED, {}),
    'resize_13_open': (upsampled, 13, OPEN, {}),
    'resize_19': (upsampled, 19, NAMED, {}),
    'argmax_11': (argmax, 11, NAMED, {}),
    'argmax_13_squeezed': (argmax, 13, NAMED, {'keepdims': 0}),
    'argmax_17_negative': (argmax, 17, OPEN, {'axis': -3}),
    'argmax_int32': (argmax, 17, FIXED, {'cast': I32, 'keepdims': 0}),
    'argmax_uint8': (argmax, 20, FIXED, {'cast': U8}),
    'last_fixed': (channels_last, 13, LAST, {}),
    'last_named': (channels_last, 15, ['n', 'h', 'w', 3], {}),
    'last_open': (channels_last, 17, ['n', 'h', 'w', 'c'], {}),
    'last_argmax_open': (channels_last, 17, ['n', 'h', 'w', 'c'], {'ids': True}),
    'logits_last': (logits_last, 17, NAMED, {}),
    'logits_last_open': (logits_last, 13, OPEN, {}),
    'normalising_open': (normalising, 17, OPEN, {}),
    'grouped_open': (grouped, 17, OPEN, {}),
    'constant_weight': (stored_weight, 17, OPEN, {'kind': 'constant'}),
    'identity_weight': (stored_weight, 14, OPEN, {'kind': 'identity'}),
    'quantised_weight': (stored_weight, 17, OPEN, {'kind': 'quantised'}),
    'transposed_convolution': (transposed_convolution, 11, OPEN, {}),
    'pixel_shuffle': (pixel_shuffle, 13, NAMED, {}),
}
UNIT = ForeignModelSettings(scale=1 / 255)


def open_case(name: str, folder: Path, settings: ForeignModelSettings = UNIT) -> ModelFile:
    make, opset, image, how = CASES[name]
    return adapt_external(make(folder / f'{name}.onnx', opset, list(image), **how), settings)


@pytest.mark.parametrize('runtime', RUNTIMES)
@pytest.mark.parametrize('name', CASES)
def test_ordinary_graphs_label_the_stripes(name: str, runtime: str, tmp_path: Path) -> None:
    model = open_case(name, tmp_path)
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for channel in range(3):
        image[:, channel * 32 : channel * 32 + 32, channel] = 200
    size = (0, 0) if model.info.input_size == (HEIGHT, WIDTH) else (HEIGHT, WIDTH)
    settings = RuntimeSettings(runtime=runtime, precision='fp32', input_size=size, threads=1)
    with Segmenter(open_runtime(model, settings)) as segmenter:
        labels = segmenter.segment([image])[0].labels
    assert labels.shape == (HEIGHT, WIDTH)
    for stripe, expected in enumerate((2, 1, 0)):
        assert (labels[4:-4, stripe * 32 + 4 : stripe * 32 + 28] == expected).all()


@pytest.mark.parametrize('name', CASES)
def test_the_graph_tells_how_many_names_it_needs(name: str, tmp_path: Path) -> None:
    count = 5 if name.startswith('logits_last') else 3
    assert len(open_case(name, tmp_path).info.label_set.names) == count
    settings = ForeignModelSettings(class_names=('road', 'car'))
    with pytest.raises(ModelError, match=f'as the file has classes, {count}, found 2'):
        open_case(name, tmp_path, settings)


@pytest.mark.parametrize(
    ('name', 'size', 'count'),
    [
        ('hf_optimum', (512, 1024), 19),
        ('mmseg_style', (512, 1024), 19),
        ('opset9', (256, 512), 4),
    ],
)
def test_files_that_were_refused_or_ended_late_are_taken(
    shared_data: Path, name: str, size: tuple[int, int], count: int
) -> None:
    info = adapt_external(shared_data / 'faults' / f'{name}.onnx', UNIT).info
    assert (info.input_size, len(info.label_set.names)) == (size, count)


def test_a_first_convolution_of_other_channels_is_told(tmp_path: Path) -> None:
    net = Net()
    value = net.conv(weight=np.ones((5, 4, 1, 1)))
    path = net.save(tmp_path / 'net.onnx', 17, OPEN, (value, F, OPEN))
    with pytest.raises(ModelError, match='of 4 channels by its first convolution'):
        adapt_external(path, UNIT)


def test_open_axes_without_a_convolution_are_told(tmp_path: Path) -> None:
    net = Net()
    value = net.add('Relu', 'pixel_values')
    path = net.save(tmp_path / 'net.onnx', 17, OPEN, (value, F, OPEN))
    with pytest.raises(ModelError, match='no convolution that tells its channels'):
        adapt_external(path, UNIT)


def test_a_transposition_that_is_none_is_no_crash(tmp_path: Path) -> None:
    net = Net()
    value = net.add('Transpose', net.conv(), perm=[0])
    path = net.save(tmp_path / 'net.onnx', 17, FIXED, (value, F, OPEN))
    with pytest.raises(ModelError):
        adapt_external(path, UNIT)
