"""A model file small enough to reason about."""

from __future__ import annotations

import onnx
from onnx import helper, TensorProto
from small_graphs import make_labelling_graph


def make_channel_model() -> onnx.ModelProto:
    """
    Return a model file whose class is the brightest channel: 0 blue, 1 green, 2 red.

    The confidence is the softmax over the three channel values divided by 32.
    """
    nodes = [
        helper.make_node('Cast', ['image'], ['float_image'], to=TensorProto.FLOAT),
        helper.make_node('Mul', ['float_image', 'scale'], ['logits']),
        helper.make_node('ArgMax', ['logits'], ['label_ids'], axis=3, keepdims=0),
        helper.make_node('Cast', ['label_ids'], ['labels'], to=TensorProto.UINT8),
        helper.make_node('Softmax', ['logits'], ['probability'], axis=3),
        helper.make_node('ReduceMax', ['probability', 'channel_axis'], ['best'], keepdims=0),
    ]
    graph = make_labelling_graph(
        'channel_model',
        nodes,
        [
            helper.make_tensor('scale', TensorProto.FLOAT, [], [1 / 32]),
            helper.make_tensor('full', TensorProto.FLOAT, [], [255.0]),
            helper.make_tensor('channel_axis', TensorProto.INT64, [1], [3]),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)], ir_version=9)
