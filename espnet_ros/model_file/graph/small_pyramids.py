"""
Pyramids of few channels, with fewer and wider convolutions.

The last ESP module of ESPNet's decoder has branches of two to four channels, and the time of each
is that of its launch. Two branches of dilations d and 2d are one convolution of 5x5 and dilation
d; and where every convolution gives all channels of the module, with zeros for those that are not
its own, their sum is what the sums of branches and their concatenation are.
"""

from __future__ import annotations

from itertools import pairwise

from espnet_ros.model_file.graph.editing import attributes, GraphView, make_node, replace_nodes
import numpy as np
from numpy.typing import NDArray
import onnx

_MOST_CHANNELS = 8
"""Read by the branches: matrix units multiply eight at once, so fewer cost as much."""

_Filters = dict[int, NDArray[np.floating]]
"""Weights by dilation, (out, in, size, size)."""


def sum_small_pyramids(proto: onnx.ModelProto) -> None:
    """Rewrite concatenations of sums of dilated 3x3 convolutions of one tensor."""
    graph = proto.graph
    view = GraphView(graph)
    replacements = {}
    for node in graph.node:
        if node.op_type == 'Concat' and attributes(node)['axis'] == 1:
            parts = [_terms(view, name) for name in node.input]
            if all(parts) and _is_pyramid(view, node, parts):
                replacements[node.output[0]] = _make_nodes(view, node, parts)
    replace_nodes(graph, replacements)


def _terms(view: GraphView, name: str) -> list[onnx.NodeProto]:
    """Return the branches that a tensor is the sum of; none where it is something else."""
    node = view.producers.get(name)
    if node is None or name in view.outputs:
        return []
    if node.op_type == 'Add':
        parts = [_terms(view, entry) for entry in node.input]
        return [branch for part in parts for branch in part] if all(parts) else []
    return [node] if _is_branch(view, node) else []


def _is_branch(view: GraphView, node: onnx.NodeProto) -> bool:
    """Return whether a node is a 3x3 convolution of few channels that keeps the size."""
    if node.op_type != 'Conv' or len(node.input) > 2 or not view.is_plain(node):
        return False
    has = attributes(node)
    channels, *size = view.values(node.input[1]).shape[1:]
    steps = list(has.get('dilations', [1, 1]))
    return (
        (channels <= _MOST_CHANNELS and size == [3, 3])
        and list(has.get('strides', [1, 1])) == [1, 1]
        and (list(has.get('pads', ())) == 2 * steps and len(set(steps)) == 1)
    )


def _is_pyramid(
    view: GraphView, concat: onnx.NodeProto, parts: list[list[onnx.NodeProto]]
) -> bool:
    """Return whether the branches read one tensor, in other dilations, and nothing else reads."""
    branches = {node.output[0]: node for part in parts for node in part}
    dilations = {attributes(node).get('dilations', [1])[0] for node in branches.values()}
    sums, names = [concat], list(concat.input)
    while names:
        node = view.producers[names.pop()]
        if node.op_type == 'Add':
            sums.append(node)
            names += node.input
    between = {*branches, *(node.output[0] for node in sums[1:])}
    return (
        len(dilations) == len(branches) > 1
        and len({node.input[0] for node in branches.values()}) == 1
        and all(reader in sums for name in between for reader in view.readers[name])
        and all(len({view.values(n.input[1]).shape[0] for n in part}) == 1 for part in parts)
    )


def _make_nodes(
    view: GraphView, concat: onnx.NodeProto, parts: list[list[onnx.NodeProto]]
) -> list[onnx.NodeProto]:
    filters = _in_pairs(_spread(view, parts))
    output = concat.output[0]
    nodes: list[onnx.NodeProto] = []
    total = ''
    for dilation, weight in filters.items():
        name = f'{output}.dilated{dilation}'
        size = weight.shape[-1]
        read = [parts[0][0].input[0], view.add(f'{name}.weight', weight)]
        pads = [size // 2 * dilation] * 4
        settings = {'kernel_shape': [size, size], 'dilations': [dilation] * 2, 'pads': pads}
        nodes.append(make_node('Conv', read, name, **settings))
        if total:
            read = [total, name]
            name = f'{output}.sum{dilation}'
            nodes.append(make_node('Add', read, name))
        total = name
    nodes[-1].output[0] = output
    return nodes


def _spread(view: GraphView, parts: list[list[onnx.NodeProto]]) -> _Filters:
    """Return filters for all channels, zeros where a branch is not in a part."""
    found = {}
    for branch in (branch for part in parts for branch in part):
        weight = view.values(branch.input[1])
        rows = [
            weight
            if any(term is branch for term in part)
            else np.zeros_like(view.values(part[0].input[1]))
            for part in parts
        ]
        found[attributes(branch).get('dilations', [1])[0]] = np.concatenate(rows)
    return dict(sorted(found.items()))


def _in_pairs(filters: _Filters) -> _Filters:
    """Return one filter of 5x5 for two of which one reads twice as far."""
    found = dict(filters)
    for near, far in pairwise(filters):
        if far == 2 * near and near in found:
            weight = np.zeros((*filters[near].shape[:2], 5, 5), filters[near].dtype)
            weight[:, :, ::2, ::2] += found.pop(far)
            weight[:, :, 1:4, 1:4] += found[near]
            found[near] = weight
    return found
