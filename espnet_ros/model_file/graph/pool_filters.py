"""
Average pools as filters of a convolution that reads the same tensor in the same steps.

ESPNet makes its image smaller beside the first convolution. NVIDIA's compiler makes a kernel of
the pool, and a copy of the image for it; a filter for each of its channels costs neither.
"""

from __future__ import annotations

from typing import Any

from espnet_ros.model_file.graph.editing import attributes, GraphView, replace_nodes
import numpy as np
import onnx
from onnx import helper


def pool_by_filters(proto: onnx.ModelProto) -> None:
    """Let a convolution compute the average pool beside it, where there is one."""
    graph = proto.graph
    view = GraphView(graph)
    order = {node.output[0]: index for index, node in enumerate(graph.node)}
    replacements: dict[str, list[onnx.NodeProto]] = {}
    for pool in graph.node:
        conv = _find_twin(view, pool)
        if conv is None or conv.output[0] in replacements:
            continue
        first, last = sorted((pool.output[0], conv.output[0]), key=lambda name: order[name])
        replacements |= {first: _make_nodes(view, pool, conv), last: []}
    replace_nodes(graph, replacements)


def _find_twin(view: GraphView, pool: onnx.NodeProto) -> onnx.NodeProto | None:
    """Return a convolution that reads what an average pool reads, at the same places."""
    has = attributes(pool)
    counts_pads = has.get('count_include_pad', 0) or not any(has.get('pads', ()))
    if pool.op_type != 'AveragePool' or has.get('ceil_mode', 0) or not counts_pads:
        return None
    for node in view.readers[pool.input[0]]:
        is_like = node.op_type == 'Conv' and view.is_plain(node)
        if is_like and _places(attributes(node)) == _places(has):
            return node
    return None


def _places(has: dict[str, Any]) -> tuple[Any, ...]:
    """Return where a window lies."""
    size = list(has.get('kernel_shape', ()))
    defaults = {'strides': [1] * len(size), 'dilations': [1] * len(size)}
    defaults['pads'] = [0] * 2 * len(size)
    rest = [list(has.get(name, default)) for name, default in defaults.items()]
    return size, *rest, has.get('auto_pad', b'NOTSET')


def _make_nodes(
    view: GraphView, pool: onnx.NodeProto, conv: onnx.NodeProto
) -> list[onnx.NodeProto]:
    weight = view.values(conv.input[1])
    count, channels, *size = weight.shape
    filters = np.zeros((channels, channels, *size), weight.dtype)
    filters[range(channels), range(channels)] = 1 / np.prod(size)
    both = f'{conv.output[0]}.{pool.output[0]}'
    wide = onnx.NodeProto()
    wide.CopyFrom(conv)
    wide.output[0] = both
    wide.input[1] = view.add(f'{both}.weight', np.concatenate([weight, filters]))
    if len(wide.input) > 2:
        view.pad(wide, 2, 0, channels)
    places = (0, count, count + channels)
    marks = [view.add(f'{both}.{place}', np.array([place])) for place in places]
    axis = view.add(f'{both}.axis', np.array([1]))
    parts = zip((conv, pool), marks[:2], marks[1:], strict=True)
    return [
        wide,
        *(
            helper.make_node(
                'Slice',
                [both, start, end, axis],
                [node.output[0]],
                name=f'{both}.{node.output[0]}',
            )
            for node, start, end in parts
        ),
    ]
