"""
Transposed convolutions whose windows do not overlap, as a 1x1 convolution and a DepthToSpace.

The values that such a layer makes of one pixel are linear maps of that pixel, and so are those of
a batch normalisation and a 1x1 convolution before it: one product gives them all. NVIDIA's
compiler puts them in their places where they are read next.
"""

from __future__ import annotations

from espnet_ros.model_file.graph.editing import attributes, GraphView, make_node, replace_nodes
import numpy as np
from numpy.typing import NDArray
import onnx

_MOST_COST = 4
"""How many times the multiplications of two layers one product in their place may take."""


def use_depth_to_space(proto: onnx.ModelProto) -> None:
    """Rewrite each transposed convolution of square windows side by side."""
    graph = proto.graph
    view = GraphView(graph)
    replace_nodes(
        graph,
        {
            node.output[0]: _make_nodes(view, node)
            for node in graph.node
            if node.op_type == 'ConvTranspose' and view.is_plain(node) and _is_apart(view, node)
        },
    )


def _is_apart(view: GraphView, node: onnx.NodeProto) -> bool:
    """Return whether the windows lie side by side, and cover the output."""
    has = attributes(node)
    size = list(view.values(node.input[1]).shape[2:])
    others = ('pads', 'output_padding', 'output_shape')
    return (
        len(set(size)) == 1
        and len(size) == 2
        and list(has.get('strides', ())) == size
        and set(has.get('dilations', [1])) == {1}
        and not any(any(has.get(name, ())) for name in others)
        and has.get('auto_pad', b'NOTSET') == b'NOTSET'
    )


def _make_nodes(view: GraphView, node: onnx.NodeProto) -> list[onnx.NodeProto]:
    weight = view.values(node.input[1])
    block = weight.shape[2]
    matrix = weight.astype(np.float64).transpose(2, 3, 1, 0).reshape(-1, weight.shape[0])
    bias = np.zeros(weight.shape[1]) if len(node.input) < 3 else view.values(node.input[2])
    source, matrix, shift = _gather(view, node.input[0], matrix, np.tile(bias, block * block))
    output = node.output[0]
    deep = f'{output}.deep'
    read = [source, view.add(f'{deep}.weight', matrix[:, :, None, None].astype(weight.dtype))]
    if shift.any():
        read.append(view.add(f'{deep}.bias', shift.astype(weight.dtype)))
    return [
        make_node('Conv', read, deep, kernel_shape=[1, 1]),
        make_node('DepthToSpace', [deep], output, blocksize=block),
    ]


def _gather(
    view: GraphView, source: str, matrix: NDArray[np.float64], shift: NDArray[np.float64]
) -> tuple[str, NDArray[np.float64], NDArray[np.float64]]:
    """Take what is linear in each pixel before the product into it."""
    node = view.producers.get(source)
    while node is not None and view.only_reader(source) is not None and view.is_plain(node):
        if node.op_type == 'BatchNormalization':
            factor, offset = view.affine(node)
            step = np.diag(factor)
        elif _is_product(view, node):
            step = view.values(node.input[1])[:, :, 0, 0].astype(np.float64)
            offset = np.zeros(len(step)) if len(node.input) < 3 else view.values(node.input[2])
            apart = matrix.size + step.size
            if len(matrix) * step.shape[1] > _MOST_COST * apart:
                break
        else:
            break
        shift, matrix = shift + matrix @ offset, matrix @ step
        source = node.input[0]
        node = view.producers.get(source)
    return source, matrix, shift


def _is_product(view: GraphView, node: onnx.NodeProto) -> bool:
    has = attributes(node)
    return (
        node.op_type == 'Conv'
        and view.values(node.input[1]).shape[2:] == (1, 1)
        and set(has.get('strides', [1])) == {1}
        and not any(has.get('pads', ()))
    )
