"""
Odd channel counts made even, with filters of zeros.

NVIDIA's compiler copies a tensor of odd channels into an even one before each convolution that
reads it in FP16: five copies for each ESP module of 25 channels. One more channel of zeros, which
filters of zeros read, costs less, and no value changes.
"""

from __future__ import annotations

from espnet_ros.model_file.graph.pruning import drop_unused
import numpy as np
import onnx
from onnx import helper, numpy_helper


def pad_odd_channels(proto: onnx.ModelProto) -> None:
    """Pad what a convolution gives to an even number of channels, where only others read it."""
    graph = proto.graph
    constants = {entry.name: entry for entry in graph.initializer}
    kept = {value.name for value in graph.output}
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    for node in graph.node:
        output = node.output[0]
        following = readers.get(output, [])
        if (
            _is_plain(node, constants)
            and constants[node.input[1]].dims[0] % 2
            and output not in kept
            and following
            and all(_is_plain(reader, constants) for reader in following)
        ):
            for index in range(1, len(node.input)):
                _pad(graph, constants, node, index, axis=0)
            for reader in following:
                _pad(graph, constants, reader, 1, axis=1)
    drop_unused(graph)
    del graph.value_info[:]


def _is_plain(node: onnx.NodeProto, constants: dict[str, onnx.TensorProto]) -> bool:
    """Return whether a node is a convolution of one group whose numbers are known."""
    if node.op_type != 'Conv' or not all(name in constants for name in node.input[1:]):
        return False
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    return bool(attributes.get('group', 1) == 1)


def _pad(
    graph: onnx.GraphProto,
    constants: dict[str, onnx.TensorProto],
    node: onnx.NodeProto,
    index: int,
    axis: int,
) -> None:
    """Give an input of a node one more row of zeros, in a constant of its own."""
    values = numpy_helper.to_array(constants[node.input[index]])
    widths = [(0, int(place == axis)) for place in range(values.ndim)]
    name = f'{node.input[index]}.{node.output[0]}.even'
    constant = numpy_helper.from_array(np.pad(values, widths), name)
    graph.initializer.append(constant)
    constants[name] = constant
    node.input[index] = name
