"""
Channels in eights where transposed convolutions read them, and classes that never win.

NVIDIA's compiler computes those convolutions in eights of channels, and copies before and after
them where there are others. Channels of zeros cost nothing more, and no value changes; classes
that are added have the lowest score that FP16 holds, so that no pixel gets one.
"""

from __future__ import annotations

from espnet_ros.model_file.graph.constants import GraphView
from espnet_ros.model_file.graph.pruning import drop_unused
import numpy as np
import onnx

_MULTIPLE = 8
_NEVER = -6e4
"""Nearly the lowest number of FP16; a softmax makes 0 of it."""

_CHANNELWISE = {'BatchNormalization': (0.0, 0.0, 0.0, 1.0), 'PRelu': (0.0,), 'Relu': ()}
"""What may lie between two convolutions, with the values that their constants get for a new
channel: a variance of 0 would be divided by."""

_HEAD = {'ArgMax', 'Softmax'}


def pad_classes(proto: onnx.ModelProto) -> None:
    """Pad the classes, and what transposed convolutions read, to a multiple of eight."""
    graph = proto.graph
    view = GraphView(graph)
    for node in graph.node:
        if node.op_type == 'ConvTranspose' and view.is_plain(node):
            _pad_read(view, node)
        if node.op_type in ('Conv', 'ConvTranspose') and view.is_plain(node):
            _pad_logits(view, node)
    drop_unused(graph)
    del graph.value_info[:]


def _pad_read(view: GraphView, node: onnx.NodeProto) -> None:
    """Pad what a transposed convolution reads, back to the convolution that it is from."""
    between: list[onnx.NodeProto] = []
    source = view.producers.get(node.input[0])
    while source is not None and source.op_type in _CHANNELWISE and view.is_plain(source):
        between.append(source)
        source = view.producers.get(source.input[0])
    if source is None or source.op_type != 'Conv' or not view.is_plain(source):
        return
    if any(view.only_reader(entry.output[0]) is None for entry in (source, *between)):
        return
    channels = view.constants[source.input[1]].dims[0]
    missing = -channels % _MULTIPLE
    slopes = [entry.input[1] for entry in between if entry.op_type == 'PRelu']
    if not missing or any(view.values(name).size != channels for name in slopes):
        return
    for index in range(1, len(source.input)):
        view.pad(source, index, 0, missing)
    for entry in between:
        for index, value in enumerate(_CHANNELWISE[entry.op_type], start=1):
            shape = view.values(entry.input[index]).shape
            view.pad(entry, index, shape.index(channels), missing, value)
    view.pad(node, 1, 0, missing)


def _pad_logits(view: GraphView, node: onnx.NodeProto) -> None:
    """Pad the classes where nothing but the head reads what a convolution gives."""
    output = node.output[0]
    readers = view.readers.get(output, [])
    if not readers or output in view.outputs or {n.op_type for n in readers} - _HEAD:
        return
    axis = int(node.op_type == 'ConvTranspose')
    weight = view.values(node.input[1])
    classes = weight.shape[axis]
    missing = -classes % _MULTIPLE
    if not missing:
        return
    view.pad(node, 1, axis, missing)
    if len(node.input) < 3:
        node.input.append(view.add(f'{output}.bias', np.zeros(classes, weight.dtype)))
    view.pad(node, 2, 0, missing, _NEVER)
