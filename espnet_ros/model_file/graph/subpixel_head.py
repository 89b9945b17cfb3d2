"""
The end of the graph, written so that the argmax is cheap.

The published networks end in a 2x2 transposed convolution of stride 2 and an argmax over
the classes at full resolution. OpenVINO keeps the classes of a pixel apart in memory there,
and its argmax takes a third of the frame. The four pixels that the transposed convolution
makes of one are four independent linear maps of the same vector: one matrix product gives all
of them with the pixels side by side, where argmax and softmax are fast, and only the finished
label and confidence are put in their places. The sums are the same, so the labels are too.
"""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.model_file.file_format import CONFIDENCE, LABELS
from espnet_ros.model_file.graph.editing import attributes, GraphView, make_node, replace_ends
import numpy as np
from numpy.typing import NDArray
import onnx
from onnx import numpy_helper, TensorProto

FACTOR = 2
SUBPIXELS = FACTOR * FACTOR


@dataclass(frozen=True)
class _Upsampling:
    """
    The transposed convolution before the argmax.

    :param source: tensor that it reads, (N, C, h, w)
    :param weight: (C, classes, 2, 2)
    """

    source: str
    weight: NDArray[np.float32]


def use_subpixel_head(proto: onnx.ModelProto) -> None:
    """
    Write the cheap output head, or leave a graph that ends otherwise as it is.

    Inputs, outputs and metadata stay; the initialisers of the last layer are replaced, so
    that the network cannot be rebuilt in torch from the result.
    """
    graph = proto.graph
    upsampling = _find_upsampling(graph)
    if upsampling is None:
        return
    graph.initializer.extend(_constants(upsampling))
    replace_ends(graph, _head(upsampling))


def _find_upsampling(graph: onnx.GraphProto) -> _Upsampling | None:
    """Return the last layer where it is a 2x2 transposed convolution under an argmax."""
    view = GraphView(graph)
    for argmax in (node for node in graph.node if node.op_type == 'ArgMax'):
        layer = view.producers.get(argmax.input[0])
        if layer is None or layer.op_type != 'ConvTranspose' or len(layer.input) != 2:
            continue
        has = attributes(layer)
        enlarges = (
            list(has.get('strides', ())) == [FACTOR, FACTOR]
            and not any(has.get('pads', ()))
            and not any(has.get('output_padding', ()))
        )
        if not enlarges or not view.is_plain(layer):
            continue
        weight = view.values(layer.input[1])
        if weight.shape[2:] == (FACTOR, FACTOR) and weight.dtype == np.float32:
            return _Upsampling(layer.input[0], weight)
    return None


def _head(upsampling: _Upsampling) -> list[onnx.NodeProto]:
    return [
        make_node('Shape', [upsampling.source], 'head.shape'),
        make_node('Gather', ['head.shape', 'head.batch_axis'], 'head.batch'),
        make_node('Gather', ['head.shape', 'head.image_axes'], 'head.size'),
        make_node('Concat', ['head.batch', 'head.subpixels', 'head.size'], 'head.grid', axis=0),
        make_node('Reshape', [upsampling.source, 'head.flat'], 'head.pixels'),
        make_node('MatMul', ['head.weight', 'head.pixels'], 'head.product'),
        make_node('Reshape', ['head.product', 'head.split'], 'head.logits'),
        make_node('ArgMax', ['head.logits'], 'head.ids', axis=2, keepdims=0),
        make_node('Cast', ['head.ids'], 'head.id_values', to=TensorProto.FLOAT),
        *_to_image('head.id_values', LABELS),
        make_node('Softmax', ['head.logits'], 'head.probabilities', axis=2),
        make_node('ReduceMax', ['head.probabilities'], 'head.best', axes=[2], keepdims=0),
        make_node('Mul', ['head.best', 'head.full'], 'head.scaled'),
        make_node('Round', ['head.scaled'], 'head.rounded'),
        *_to_image('head.rounded', CONFIDENCE),
    ]


def _to_image(values: str, output: str) -> list[onnx.NodeProto]:
    """Put (N, 4, h * w) values in their places of an image of (N, 2 h, 2 w)."""
    return [
        make_node('Reshape', [values, 'head.grid'], f'{values}.grid'),
        make_node('DepthToSpace', [f'{values}.grid'], f'{values}.image', blocksize=FACTOR),
        make_node('Squeeze', [f'{values}.image', 'head.channel_axis'], f'{values}.plane'),
        make_node('Cast', [f'{values}.plane'], output, to=TensorProto.UINT8),
    ]


def _constants(upsampling: _Upsampling) -> list[onnx.TensorProto]:
    channels, classes = upsampling.weight.shape[:2]
    weight = upsampling.weight.transpose(2, 3, 1, 0).reshape(SUBPIXELS * classes, channels)
    constants = {
        'weight': np.ascontiguousarray(weight),
        'flat': np.array([0, channels, -1]),
        'split': np.array([0, SUBPIXELS, classes, -1]),
        'subpixels': np.array([SUBPIXELS]),
        'batch_axis': np.array([0]),
        'image_axes': np.array([2, 3]),
        'channel_axis': np.array([1]),
        'full': np.array(255, np.float32),
    }
    return [numpy_helper.from_array(value, f'head.{name}') for name, value in constants.items()]
