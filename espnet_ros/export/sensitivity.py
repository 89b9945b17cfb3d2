"""
Which layers cannot bear INT8.

In a network as small as ESPNet a few layers do most of the damage: sums of many branches, and
layers of as few channels as there are classes. They are found one by one, and stay float.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
import logging
from typing import Any

from espnet_ros.model_file.file_format import IMAGE, LABELS
from espnet_ros.model_file.graph.editing import drop_unused
import numpy as np
from numpy.typing import NDArray
import onnx

logger = logging.getLogger(__name__)

TARGET_AGREEMENT = 0.98
_STEP = 4
_PAIR = ('QuantizeLinear', 'DequantizeLinear')


@dataclass(frozen=True)
class Relieved:
    """
    A quantised network whose worst layers are float again.

    :param agreement: share of pixels labelled as by the float network, on the images
    """

    proto: onnx.ModelProto
    agreement: float
    float_layers: int
    layers: int


def relieve(
    quantized: onnx.ModelProto,
    original: onnx.ModelProto,
    images_bgr: Sequence[NDArray[np.uint8]],
) -> Relieved:
    """
    Make layers float again, the most harmful first, until the labels agree.

    :param quantized: with one pair of Q and DQ for each input of a layer
    :param original: the same network in float
    :param images_bgr: uint8, (H, W, 3) each, of the network's size
    """
    wanted = _labels(original, images_bgr)
    layers = quantized_layers(quantized)
    agreement = _agreement(quantized, images_bgr, wanted)
    if agreement >= TARGET_AGREEMENT:
        return Relieved(quantized, agreement, 0, len(layers))
    harm = {}
    for name in layers:
        alone = as_float(quantized, [other for other in layers if other != name])
        harm[name] = 1 - _agreement(alone, images_bgr[:1], wanted[:1])
    worst = sorted(layers, key=lambda name: -harm[name])
    relieved, count = quantized, 0
    while agreement < TARGET_AGREEMENT and count < len(layers):
        count = min(count + _STEP, len(layers))
        relieved = as_float(quantized, worst[:count])
        agreement = _agreement(relieved, images_bgr, wanted)
        logger.info('%d of %d layers float: %.2f %%', count, len(layers), 100 * agreement)
    return Relieved(relieved, agreement, count, len(layers))


def quantized_layers(proto: onnx.ModelProto) -> list[str]:
    """Return the names of the layers that read quantised weights."""
    producers = {name: node for node in proto.graph.node for name in node.output}
    return [
        node.name
        for node in proto.graph.node
        if node.op_type not in _PAIR
        and len(node.input) > 1
        and getattr(producers.get(node.input[1]), 'op_type', '') == 'DequantizeLinear'
    ]


def as_float(quantized: onnx.ModelProto, names: Sequence[str]) -> onnx.ModelProto:
    """Return the network with some layers reading what they read before it was quantised."""
    proto = onnx.ModelProto()
    proto.CopyFrom(quantized)
    graph = proto.graph
    producers = {name: node for node in graph.node for name in node.output}
    chosen = set(names)
    for node in graph.node:
        if node.name not in chosen:
            continue
        for index, name in enumerate(node.input):
            source = name
            while getattr(producers.get(source), 'op_type', '') in _PAIR:
                source = producers[source].input[0]
            node.input[index] = source
    drop_unused(graph)
    return proto


def _agreement(
    proto: onnx.ModelProto,
    images_bgr: Sequence[NDArray[np.uint8]],
    wanted: Sequence[NDArray[np.uint8]],
) -> float:
    found = _labels(proto, images_bgr)
    return float(np.mean([np.mean(f == w) for f, w in zip(found, wanted, strict=True)]))


def _labels(
    proto: onnx.ModelProto, images_bgr: Sequence[NDArray[np.uint8]]
) -> list[NDArray[np.uint8]]:
    onnxruntime: Any = import_module('onnxruntime')
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # failures are raised
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options)
    return [session.run([LABELS], {IMAGE: image[np.newaxis]})[0] for image in images_bgr]
