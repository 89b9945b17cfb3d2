"""
What enters and leaves a graph: fixed sizes, which are faster, and casts around uint8.

TensorRT's parser wants those: a uint8 input may go nowhere but into a cast to float, and a uint8
output may come from nothing but a cast from float.
"""

from __future__ import annotations

from espnet_ros.exceptions import ModelError
import onnx
from onnx import helper, TensorProto

Size = tuple[int | None, ...]
"""Batch, height and width; None where a size stays free."""


def fix_size(proto: onnx.ModelProto, image: Size, mask: Size) -> None:
    """
    Fix sizes of the image input and of the outputs.

    :raises ModelError: the graph has another fixed size there
    """
    graph = proto.graph
    for dim, size in zip(graph.input[0].type.tensor_type.shape.dim, image, strict=False):
        if size is None:
            continue
        if dim.HasField('dim_value') and dim.dim_value != size:
            raise ModelError(
                f'the graph {graph.name} takes {dim.dim_value} where {size} is requested; export '
                'it with free sizes'
            )
        dim.dim_value = size
    for output in graph.output:
        for dim, size in zip(output.type.tensor_type.shape.dim, mask, strict=True):
            if size is not None:
                dim.dim_value = size
    del graph.value_info[:]


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
