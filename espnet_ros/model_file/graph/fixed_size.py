"""Sizes written into a graph that leaves them free: engines of one size are faster."""

from __future__ import annotations

from espnet_ros.exceptions import ModelError
import onnx

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
