"""What the layers of a graph tell where its shapes do not: channels of the image, classes."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import onnx
from onnx import helper

_PASSING = {
    'Add', 'AveragePool', 'BatchNormalization', 'Cast', 'Clip', 'DequantizeLinear', 'Div',
    'Dropout', 'HardSigmoid', 'HardSwish', 'Identity', 'InstanceNormalization', 'LeakyRelu',
    'LogSoftmax', 'MaxPool', 'Mul', 'Pad', 'PRelu', 'QuantizeLinear', 'Relu', 'Resize',
    'Sigmoid', 'Softmax', 'Sub', 'Upsample',
}  # fmt: skip
"""Operators whose result has the axes of an input of theirs, channels included."""

_KEEPING_IDS = {'Cast', 'Identity', 'Reshape', 'Resize', 'Squeeze', 'Transpose', 'Unsqueeze'}
"""Operators that make no other class ids of class ids."""

_COMPARISONS = {'And', 'Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'Not', 'Or'}

_RANK = 4


class GraphLayers:
    """
    Follows values through the layers of a graph.

    :param graph: with the shapes that are known of it
    """

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._weights: dict[str, tuple[int, ...]] = {
            tensor.name: tuple(tensor.dims) for tensor in graph.initializer
        }
        self._makers: dict[str, onnx.NodeProto] = {}
        self._users: defaultdict[str, list[onnx.NodeProto]] = defaultdict(list)
        for node in graph.node:
            self._makers.update(dict.fromkeys(node.output, node))
            for name in node.input:
                self._users[name].append(node)
            if node.op_type == 'Constant' and node.attribute[0].HasField('t'):
                self._weights[node.output[0]] = tuple(node.attribute[0].t.dims)
        self._shapes: dict[str, tuple[int, ...]] = {
            value.name: tuple(d.dim_value for d in value.type.tensor_type.shape.dim)
            for value in (*graph.value_info, *graph.output)
        }

    def find_channel_axis(self, image: str) -> tuple[int, int] | None:
        """
        Return the axis of an image's channels and how many there are, by the first convolution.

        :param image: an input of four axes
        :return: None where no convolution reads it
        """
        waiting = [(image, tuple(range(_RANK)))]
        seen = set()
        while waiting:
            name, axes = waiting.pop()
            for node in self._users[name]:
                if id(node) in seen:
                    continue
                seen.add(id(node))
                if node.op_type == 'Conv':
                    weight = self._weight(node.input[1])
                    if node.input[0] == name and len(weight) == _RANK:
                        return axes[1], weight[1] * int(_attribute(node, 'group', 1))
                elif node.op_type == 'Transpose':
                    order = _order(node)
                    if order:
                        waiting.append((node.output[0], tuple(axes[i] for i in order)))
                elif node.op_type in _PASSING:
                    waiting.append((node.output[0], axes))
        return None

    def find_size(self, name: str, axis: int) -> int | None:
        """Return the size of an axis of a value, or None where neither shape nor layer tells."""
        for _ in range(len(self._makers) + 1):
            shape = self._shapes.get(name, ())
            if len(shape) == _RANK and shape[axis] > 0:
                return shape[axis]
            node = self._makers.get(name)
            if node is None:
                return None
            kind = node.op_type
            if kind in ('Conv', 'ConvTranspose'):
                weight = self._weight(node.input[1])
                if axis != 1 or len(weight) != _RANK:
                    return None
                is_plain = kind == 'Conv'
                return weight[0] if is_plain else weight[1] * int(_attribute(node, 'group', 1))
            if kind == 'Transpose':
                order = _order(node)
                axis = order[axis] if order else axis
            elif kind == 'Reshape' and self._is_shape(node.input[1]):
                # To the shape of another value, as converted softmaxes do.
                node = self._makers[node.input[1]]
            elif kind not in _PASSING:
                return None
            name = self._data_input(node)
        return None

    def find_class_axis(self, name: str) -> int | None:
        """Return the axis of a convolution's channels in what follows it, or None."""
        axes: tuple[int, ...] = tuple(range(_RANK))
        for _ in range(len(self._makers) + 1):
            node = self._makers.get(name)
            if node is None:
                return None
            if node.op_type in ('Conv', 'ConvTranspose'):
                return axes.index(1)
            if node.op_type == 'Transpose':
                order = _order(node)
                if not order:
                    return None
                axes = tuple(order[axis] for axis in axes)
            elif node.op_type not in _PASSING:
                return None
            name = self._data_input(node)
        return None

    def count_ids(self, name: str) -> int | None:
        """Return how many class ids a value of labels may hold, or None where nothing tells."""
        for _ in range(len(self._makers) + 1):
            node = self._makers.get(name)
            if node is None:
                return None
            if node.op_type in _COMPARISONS:
                return 2
            if node.op_type == 'ArgMax':
                axis = int(_attribute(node, 'axis', 0))
                return self.find_size(node.input[0], axis % _RANK)
            if node.op_type not in _KEEPING_IDS:
                return None
            name = node.input[0]
        return None

    def _is_shape(self, name: str) -> bool:
        return name in self._makers and self._makers[name].op_type == 'Shape'

    def _data_input(self, node: onnx.NodeProto) -> str:
        """Return the first input that is no weight."""
        return next((name for name in node.input if name not in self._weights), '')

    def _weight(self, name: str) -> tuple[int, ...]:
        """Return the shape of a weight, through what it is stored or quantised by."""
        while name not in self._weights and name in self._makers:
            node = self._makers[name]
            if node.op_type not in _PASSING:
                return ()
            name = node.input[0]
        return self._weights.get(name, ())


def _order(node: onnx.NodeProto) -> tuple[int, ...]:
    """Return the order of axes of a transposition; empty where it is of no image."""
    order = tuple(_attribute(node, 'perm', range(_RANK)[::-1]))
    return order if sorted(order) == list(range(_RANK)) else ()


def _attribute(node: onnx.NodeProto, name: str, default: Any) -> Any:
    for attribute in node.attribute:
        if attribute.name == name:
            return helper.get_attribute_value(attribute)
    return default
