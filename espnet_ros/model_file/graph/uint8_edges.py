"""
Casts at both ends of a graph, as TensorRT's parser wants them around uint8.

A uint8 input may go nowhere but into a cast to float, and a uint8 output may come from nothing
but a cast from float.
"""

from __future__ import annotations

import onnx
from onnx import helper, TensorProto


def cast_image_first(proto: onnx.ModelProto) -> None:
    """Let nothing but a cast to float read the image."""
    graph = proto.graph
    image = graph.input[0]
    if image.type.tensor_type.elem_type != TensorProto.UINT8:
        return
    values = f'{image.name}.values'
    for node in graph.node:
        for index, name in enumerate(node.input):
            if name == image.name:
                node.input[index] = values
    cast = helper.make_node('Cast', [image.name], [values], to=TensorProto.FLOAT)
    graph.node.insert(0, cast)


def cast_through_float(proto: onnx.ModelProto) -> None:
    """Put a cast to float before each uint8 output."""
    graph = proto.graph
    outputs = {output.name for output in graph.output}
    for index in reversed(range(len(graph.node))):
        node = graph.node[index]
        if node.op_type == 'Cast' and node.output[0] in outputs:
            between = f'{node.output[0]}.float'
            cast = helper.make_node('Cast', [node.input[0]], [between], to=TensorProto.FLOAT)
            node.input[0] = between
            graph.node.insert(index, cast)
