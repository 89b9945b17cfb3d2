"""
Odd channel counts made even, with filters of zeros.

NVIDIA's compiler copies a tensor of odd channels into an even one before each convolution that
reads it in FP16: five copies for each ESP module of 25 channels. One more channel of zeros, which
filters of zeros read, costs less, and no value changes.
"""

from __future__ import annotations

from espnet_ros.model_file.graph.editing import drop_unused, GraphView
import onnx


def pad_odd_channels(proto: onnx.ModelProto) -> None:
    """Pad what a convolution gives to an even number of channels, where only others read it."""
    graph = proto.graph
    view = GraphView(graph)
    for node in graph.node:
        output = node.output[0]
        following = view.readers.get(output, [])
        if (
            _is_plain(view, node)
            and view.constants[node.input[1]].dims[0] % 2
            and output not in view.outputs
            and following
            and all(_is_plain(view, reader) for reader in following)
        ):
            for index in range(1, len(node.input)):
                view.pad(node, index, 0, 1)
            for reader in following:
                view.pad(reader, 1, 1, 1)
    drop_unused(graph)
    del graph.value_info[:]


def _is_plain(view: GraphView, node: onnx.NodeProto) -> bool:
    return node.op_type == 'Conv' and view.is_plain(node)
