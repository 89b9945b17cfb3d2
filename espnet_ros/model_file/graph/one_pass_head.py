"""
Labels and confidence from one pass over the scores of the classes.

An argmax and a softmax are two passes of NVIDIA's compiler, and two more kernels make bytes of
their results. Here both come from the largest score: the label is the first class that has it, the
confidence one by the sum of all exponentials below it, channels last, where they lie anyway.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from espnet_ros.model_file.graph.constants import attributes, GraphView
from espnet_ros.model_file.graph.pruning import replace_ends
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

    :param scores: name of the tensor that both read, (N, classes, H, W)
    :param confidence: name of the output, or None where there is none
    """

    scores: str
    classes: int
    labels: str
    confidence: str | None


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
    return _Head(scores, classes, labels, others[0] if others else None)


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
    last = view.add('head.last', np.array([3], np.int64))
    full = view.add('head.full', np.array(255, np.float32))
    none = view.add('head.none', np.array(0, np.float32))
    # Counted down, so that the largest number is that of the first class.
    ranks = view.add('head.ranks', 255 - np.arange(head.classes, dtype=np.float32))

    def node(kind: str, inputs: list[str], output: str, **settings: Any) -> onnx.NodeProto:
        return helper.make_node(kind, inputs, [output], name=f'head.{kind}.{output}', **settings)

    def reduce(kind: str, name: str, output: str, *, keepdims: int) -> onnx.NodeProto:
        if kind == 'ReduceSum' or opset >= _AXES_AS_INPUT:
            return node(kind, [name, last], output, keepdims=keepdims)
        return node(kind, [name], output, axes=[3], keepdims=keepdims)

    nodes = [
        node('Transpose', [head.scores], 'head.scores', perm=[0, 2, 3, 1]),
        reduce('ReduceMax', 'head.scores', 'head.best', keepdims=1),
        node('Less', ['head.scores', 'head.best'], 'head.is_less'),
        node('Where', ['head.is_less', none, ranks], 'head.candidates'),
        reduce('ReduceMax', 'head.candidates', 'head.rank', keepdims=0),
        node('Sub', [full, 'head.rank'], 'head.label'),
        node('Cast', ['head.label'], head.labels, to=TensorProto.UINT8),
    ]
    if head.confidence is None:
        return nodes
    return [
        *nodes,
        node('Sub', ['head.scores', 'head.best'], 'head.below'),
        node('Exp', ['head.below'], 'head.shares'),
        reduce('ReduceSum', 'head.shares', 'head.sum', keepdims=0),
        node('Div', [full, 'head.sum'], 'head.percent'),
        node('Round', ['head.percent'], 'head.rounded'),
        node('Cast', ['head.rounded'], head.confidence, to=TensorProto.UINT8),
    ]
