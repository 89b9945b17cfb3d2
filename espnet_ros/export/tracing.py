"""What torch makes of a network as ONNX, with free sizes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import logging
from typing import Any
import warnings

from espnet_ros.exceptions import ModelError
from espnet_ros.export.graph_cleanup import clean_graph
from espnet_ros.model_file import CONFIDENCE, IMAGE, LABELS
from espnet_ros.models.base import SegmentationNetwork
from espnet_ros.models.pipeline import SegmentationPipeline
import onnx
from onnx.numpy_helper import to_array
import torch

_SIZE_FREE = frozenset(
    (
        *('Add', 'ArgMax', 'AveragePool', 'BatchNormalization', 'Cast', 'Clip', 'Concat'),
        *('Constant', 'Conv', 'ConvTranspose', 'Div', 'MaxPool', 'Mul', 'PRelu', 'ReduceMax'),
        *('Relu', 'Resize', 'Round', 'Sigmoid', 'Slice', 'Softmax', 'Sub', 'Transpose'),
    )
)
"""Operators that hold no sizes; :func:`held_sizes` looks at those that may."""


def trace(pipeline: SegmentationPipeline, input_size: tuple[int, int]) -> onnx.ModelProto:
    """
    Return the graph of a pipeline, cleaned.

    Most networks only convolve, pool and add, so a trace at one size is right for every size,
    and takes a third of the time of one with symbols for the sizes. ``computes_with_sizes`` of
    the network says where that does not hold.

    :param pipeline: in evaluation mode, on the CPU, float32
    :param input_size: (height, width) in pixels, for networks of ``fixed_size``
    :raises ModelError: the exporter gave nothing
    """
    network = pipeline.network
    multiple = network.size_multiple
    height, width = input_size if network.fixed_size else (8 * multiple, 12 * multiple)
    sizes: dict[int, Any] = {}
    if network.computes_with_sizes:
        sizes[0] = torch.export.Dim('batch')
        if not network.fixed_size:
            sizes[1] = multiple * torch.export.Dim('rows')
            sizes[2] = multiple * torch.export.Dim('columns')
    # Sizes of 0 and 1 would be taken for constants, so the example has others.
    example = torch.zeros(2, height, width, 3, dtype=torch.uint8)
    with torch.no_grad(), _quiet():
        exported = torch.export.export(
            pipeline, (example,), dynamic_shapes=(sizes,) if sizes else None, strict=False
        )
        program = torch.onnx.export(
            exported,
            dynamo=True,
            optimize=False,
            verbose=False,
            input_names=[IMAGE],
            output_names=[LABELS, CONFIDENCE],
        )
        if program is None:
            raise ModelError('torch.onnx exported nothing')
        return clean_graph(program.model)


def free_sizes(proto: onnx.ModelProto, network: SegmentationNetwork) -> None:
    """
    Name the free sizes of a graph's images and label maps N, H and W.

    :param proto: what :func:`trace` gave; changed in place
    :raises ModelError: the graph holds a size although the network says that it needs none
    """
    if not network.computes_with_sizes and (held := held_sizes(proto)):
        raise ModelError(
            f'{type(network).__name__}: expected a graph for every size, found {held} that holds '
            'one; set computes_with_sizes in the class'
        )
    del proto.graph.value_info[:]  # shapes in between, as they were in the trace
    fixed = (1, 2) if network.fixed_size else ()
    for value in (*proto.graph.input, *proto.graph.output):
        for axis, (name, size) in enumerate(
            zip('NHW', value.type.tensor_type.shape.dim, strict=False)
        ):
            if axis not in fixed:
                size.dim_param = name


def held_sizes(proto: onnx.ModelProto) -> str:
    """
    Return what in a graph may hold a size of its images, or an empty text.

    Those are operators that take sizes, as Reshape does and Slice but along the channels, and
    constants of (height, width).
    """
    constants = {tensor.name: tensor for tensor in proto.graph.initializer}
    for node in proto.graph.node:
        if node.op_type == 'Constant':
            constants[node.output[0]] = node.attribute[0].t
    for node in proto.graph.node:
        # A Resize by factors has three inputs, one to sizes a fourth.
        if node.op_type not in _SIZE_FREE or (node.op_type == 'Resize' and len(node.input) > 3):
            return f'{node.op_type} {node.name}'
        if node.op_type == 'Slice' and list(to_array(constants[node.input[3]])) != [1]:
            return f'{node.op_type} {node.name}'
    weights = {
        name
        for node in proto.graph.node
        if node.op_type in ('Conv', 'ConvTranspose')
        for name in node.input[1:2]
    }
    for name, tensor in constants.items():
        if name not in weights and len(tensor.dims) > 1 and max(tensor.dims[-2:]) > 1:
            return f'constant {name}'
    return ''


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's progress notes and deprecation warnings from the user."""
    loggers = [logging.getLogger(name) for name in ('torch.onnx', 'torch.export', 'onnxscript')]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
