"""
Labels and confidence from one pass over the scores of the classes.

An argmax and a softmax are two passes of NVIDIA's compiler, and two more kernels make bytes of
their results. Here both come from the largest score: the label is the first class that has it, the
confidence one by the sum of all exponentials below it, channels last, where they lie anyway. Where
a DepthToSpace gives the scores, they are put in their places in the same pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from espnet_ros.model_file.graph.editing import attributes, GraphView, replace_ends
import numpy as np
import onnx
from onnx import helper, shape_inference, TensorProto

_MOST_CLASSES = 256
_AXES_AS_INPUT = 18
"""The first opset whose ReduceMax takes the axes as an input."""


@dataclass(frozen=True)
class _Head:
    """
    The end of a graph.

    :param scores: name of the tensor that both read, (N, classes, H, W); or, in blocks, of the
        one that they are in, (N, block * block * classes, H / block, W / block)
    :param classes: how many there are
    :param block: height and width of the blocks
    :param size: (H, W), where there are blocks
    :param confidence: name of the output, or None where there is none
    """

    scores: str
    classes: int
    labels: str
    confidence: str | None
    block: int = 1
    size: tuple[int, ...] = ()


def compute_head_in_one_pass(proto: onnx.ModelProto) -> None:
    """Rewrite argmax and softmax; a graph that ends otherwise is left as it is."""
    head = _find_head(proto)
    if head is None:
        return
    graph = proto.graph
    replace_ends(graph, _make_nodes(GraphView(graph), head, proto.opset_import[0].version))


def _find_head(proto: onnx.ModelProto) -> _Head | None:
    view = GraphView(proto.graph)
    ends = {name: _walk_back(view, name) for name in view.outputs}
    labels = next((n for n, (kinds, _) in ends.items() if kinds == ('ArgMax',)), None)
    others = [name for name in ends if name != labels]
    if labels is None or len(others) > 1:
        return None
    scores = ends[labels][1]
    expected = ('Round', 'Mul', 'ReduceMax', 'Softmax')
    if any(ends[name] != (expected, scores) for name in others):
        return None
    known = shape_inference.infer_shapes(proto).graph.value_info
    dims = [list(v.type.tensor_type.shape.dim) for v in known if v.name == scores]
    if not dims or len(dims[0]) != 4:
        return None
    classes = int(dims[0][1].dim_value)
    if not 0 < classes <= _MOST_CLASSES:
        return None
    head = _Head(scores, classes, labels, others[0] if others else None)
    return replace(head, **_find_blocks(view, head, proto.graph.output[0]))


def _find_blocks(view: GraphView, head: _Head, output: onnx.ValueInfoProto) -> dict[str, Any]:
    """Return what a head in blocks has otherwise, where its size is known."""
    node = view.producers[head.scores]
    size = tuple(dim.dim_value for dim in output.type.tensor_type.shape.dim[1:])
    if node.op_type != 'DepthToSpace' or len(size) != 2 or not all(size):
        return {}
    has = attributes(node)
    if has.get('mode', b'DCR') != b'DCR':
        return {}
    return {'scores': node.input[0], 'block': has['blocksize'], 'size': size}


def _walk_back(view: GraphView, name: str) -> tuple[tuple[str, ...], str]:
    """Return the kinds of node from an output back to the scores, casts left out, and those."""
    kinds: list[str] = []
    while (node := view.producers.get(name)) is not None:
        kind, has = node.op_type, attributes(node)
        name = node.input[0]
        if kind == 'Mul' and not _is_full(view, node):
            break
        if kind in ('ArgMax', 'Softmax') and has.get('axis', -1) != 1:
            break
        if kind == 'ArgMax' and (has.get('keepdims', 1) or has.get('select_last_index', 0)):
            break
        if kind == 'ReduceMax' and (has.get('keepdims', 1) or _axes(view, node, has) != [1]):
            break
        if kind != 'Cast':
            kinds.append(kind)
        if kind in ('ArgMax', 'Softmax'):
            return tuple(kinds), name
        if kind not in ('Cast', 'Round', 'Mul', 'ReduceMax'):
            break
    return (), ''


def _is_full(view: GraphView, node: onnx.NodeProto) -> bool:
    """Return whether a node multiplies by the largest byte."""
    return node.input[1] in view.constants and view.values(node.input[1]).tolist() == 255


def _axes(view: GraphView, node: onnx.NodeProto, has: dict[str, list[int]]) -> list[int]:
    if len(node.input) > 1:
        known = node.input[1] in view.constants
        return [int(axis) for axis in view.values(node.input[1])] if known else []
    return list(has.get('axes', []))


def _make_nodes(view: GraphView, head: _Head, opset: int) -> list[onnx.NodeProto]:
    spread = _spread_scores(view, head)
    axis = 3 if head.block == 1 else 5
    last = view.add('head.last', np.array([axis], np.int64))
    full = view.add('head.full', np.array(255, np.float32))
    none = view.add('head.none', np.array(0, np.float32))
    # Counted down, so that the largest number is that of the first class.
    ranks = view.add('head.ranks', 255 - np.arange(head.classes, dtype=np.float32))

    def reduce(kind: str, name: str, output: str, *, keepdims: int) -> onnx.NodeProto:
        if kind == 'ReduceSum' or opset >= _AXES_AS_INPUT:
            return _node(kind, [name, last], output, keepdims=keepdims)
        return _node(kind, [name], output, axes=[axis], keepdims=keepdims)

    nodes = [
        *spread,
        reduce('ReduceMax', 'head.scores', 'head.best', keepdims=1),
        _node('Less', ['head.scores', 'head.best'], 'head.is_less'),
        _node('Where', ['head.is_less', none, ranks], 'head.candidates'),
        reduce('ReduceMax', 'head.candidates', 'head.rank', keepdims=0),
        _node('Sub', [full, 'head.rank'], 'head.label'),
        *_to_output(view, head, 'head.label', head.labels),
    ]
    if head.confidence is None:
        return nodes
    return [
        *nodes,
        _node('Sub', ['head.scores', 'head.best'], 'head.below'),
        _node('Exp', ['head.below'], 'head.shares'),
        reduce('ReduceSum', 'head.shares', 'head.sum', keepdims=0),
        _node('Div', [full, 'head.sum'], 'head.percent'),
        _node('Round', ['head.percent'], 'head.rounded'),
        *_to_output(view, head, 'head.rounded', head.confidence),
    ]


def _spread_scores(view: GraphView, head: _Head) -> list[onnx.NodeProto]:
    """Put the classes last: (N, H, W, classes), or (N, rows, block, columns, block, classes)."""
    if head.block == 1:
        return [_node('Transpose', [head.scores], 'head.scores', perm=[0, 2, 3, 1])]
    apart = view.add('head.apart', np.array([0, 0, 0, head.block, head.block, head.classes]))
    return [
        _node('Transpose', [head.scores], 'head.deep', perm=[0, 2, 3, 1]),
        _node('Reshape', ['head.deep', apart], 'head.blocks'),
        _node('Transpose', ['head.blocks'], 'head.scores', perm=[0, 1, 3, 2, 4, 5]),
    ]


def _to_output(view: GraphView, head: _Head, values: str, output: str) -> list[onnx.NodeProto]:
    cast = _node('Cast', [values], output, to=TensorProto.UINT8)
    if head.block == 1:
        return [cast]
    size = view.add(f'{values}.size', np.array([0, *head.size]))
    cast.input[0] = f'{values}.image'
    return [_node('Reshape', [values, size], cast.input[0]), cast]


def _node(kind: str, inputs: list[str], output: str, **settings: Any) -> onnx.NodeProto:
    return helper.make_node(kind, inputs, [output], name=f'head.{kind}.{output}', **settings)
