"""A convolutional network of random weights that costs next to nothing."""

from __future__ import annotations

from pathlib import Path

from espnet_ros.labels import LabelSet
from espnet_ros.model_file import ModelInfo
import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
from small_graphs import make_labelling_graph

SIZE = (48, 64)
_CHANNELS, _CLASSES = 8, 3


def save_small_network(path: Path) -> Path:
    """Write it as a model file of three classes, for images of :data:`SIZE`."""
    random = np.random.default_rng(1)
    first = random.normal(0, 0.02, (_CHANNELS, 3, 3, 3)).astype(np.float32)
    second = random.normal(0, 1, (_CLASSES, _CHANNELS, 3, 3)).astype(np.float32)
    constants = [
        numpy_helper.from_array(first, 'first'),
        numpy_helper.from_array(second, 'second'),
        helper.make_tensor('full', TensorProto.FLOAT, [], [255.0]),
        helper.make_tensor('class_axis', TensorProto.INT64, [1], [1]),
    ]
    nodes = [
        helper.make_node('Cast', ['image'], ['float_image'], to=TensorProto.FLOAT),
        helper.make_node('Transpose', ['float_image'], ['planes'], perm=[0, 3, 1, 2]),
        helper.make_node('Conv', ['planes', 'first'], ['found'], pads=[1, 1, 1, 1]),
        helper.make_node('Relu', ['found'], ['features']),
        helper.make_node('Conv', ['features', 'second'], ['logits'], pads=[1, 1, 1, 1]),
        helper.make_node('ArgMax', ['logits'], ['label_ids'], axis=1, keepdims=0),
        helper.make_node('Cast', ['label_ids'], ['labels'], to=TensorProto.UINT8),
        helper.make_node('Softmax', ['logits'], ['probability'], axis=1),
        helper.make_node('ReduceMax', ['probability', 'class_axis'], ['best'], keepdims=0),
    ]
    graph = make_labelling_graph('small_network', nodes, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)], ir_version=9)
    info = ModelInfo(
        name='small_network',
        architecture='foreign',
        architecture_arguments=(),
        input_size=SIZE,
        label_set=LabelSet.from_names(('one', 'two', 'three')),
        training_set='none',
        license='Apache-2.0',
    )
    helper.set_model_props(model, info.to_metadata())
    onnx.save(model, path)
    return path
