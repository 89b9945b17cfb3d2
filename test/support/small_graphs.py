"""ONNX graphs that are model files: what every one of them begins and ends with."""

from __future__ import annotations

from collections.abc import Sequence

import onnx
from onnx import helper, TensorProto


def make_labelling_graph(
    name: str, nodes: Sequence[onnx.NodeProto], constants: Sequence[onnx.TensorProto]
) -> onnx.GraphProto:
    """
    Return a graph from ``image`` to ``labels`` and ``confidence``, of any size.

    :param nodes: from ``image`` to ``labels``, and to the probability of the best class, ``best``
    :param constants: what the nodes read, and ``full``, which is 255
    """
    ending = [
        helper.make_node('Mul', ['best', 'full'], ['scaled']),
        helper.make_node('Round', ['scaled'], ['rounded']),
        helper.make_node('Cast', ['rounded'], ['confidence'], to=TensorProto.UINT8),
    ]
    sizes = ['N', 'H', 'W']
    return helper.make_graph(
        [*nodes, *ending],
        name,
        [helper.make_tensor_value_info('image', TensorProto.UINT8, [*sizes, 3])],
        [
            helper.make_tensor_value_info(output, TensorProto.UINT8, sizes)
            for output in ('labels', 'confidence')
        ],
        list(constants),
    )
