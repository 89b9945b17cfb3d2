"""FP16 types in the graph, as strongly typed TensorRT (11, RTX) wants them."""

from __future__ import annotations

from importlib import import_module
import warnings

from espnet_ros.exceptions import ModelError, RuntimeUnavailableError
from espnet_ros.model_file.graph.editing import captured_names
import onnx
from onnx import version_converter

_TAKEN = {'Max', 'Min'}
"""What the converter leaves in FP32 for the sake of ONNX Runtime; TensorRT computes it in FP16."""

_QUANTIZED_OPSET = 19
"""The first whose QuantizeLinear and DequantizeLinear are of FP16 (TensorRT 10 and newer)."""


def to_half_types(proto: onnx.ModelProto) -> None:
    """
    Write FP16 where the graph has FP32; uint8 inputs and outputs stay.

    So do the INT8 layers of a quantised network: their scales become FP16, so that nothing but
    INT8 and FP16 is left, and no cast stands between a layer and its scales.

    :raises RuntimeUnavailableError: the converter, part of onnxruntime, is not installed
    :raises ModelError: the converter does not take the graph
    """
    try:
        converter = import_module('onnxruntime.transformers.float16')
    except ImportError as error:
        raise RuntimeUnavailableError(
            'tensorrt: this version has no FP16 flag, and the network has to be converted '
            'first, which needs onnxruntime: pip install onnxruntime, or set precision to fp32'
        ) from error
    try:
        if any(node.op_type == 'QuantizeLinear' for node in proto.graph.node):
            _raise_opset(proto, _QUANTIZED_OPSET)
        with warnings.catch_warnings():
            # It tells of each weight that is too small for FP16; those of ESPNet are many.
            warnings.simplefilter('ignore')
            converted = converter.convert_float_to_float16(
                proto,
                keep_io_types=True,
                op_block_list=set(converter.DEFAULT_OP_BLOCK_LIST) - _TAKEN,
            )
        sort_nodes(converted.graph)
        onnx.checker.check_model(converted)
    except Exception as error:  # the converter's and onnx's errors share no base class
        raise ModelError(
            f'the graph {proto.graph.name} cannot be converted to FP16 '
            f'({str(error).splitlines()[0]}); set precision to fp32'
        ) from error
    proto.CopyFrom(converted)


def sort_nodes(graph: onnx.GraphProto) -> None:
    """Put every node behind those that it reads; the converter appends its casts at the end."""
    producers = {name: index for index, node in enumerate(graph.node) for name in node.output}
    producers.pop('', None)  # the name of what is left out
    read = [
        {producers[name] for name in {*node.input, *captured_names(node)} & producers.keys()}
        for node in graph.node
    ]
    done: dict[int, onnx.NodeProto] = {}
    for root in range(len(graph.node)):
        waiting = [root]
        while waiting:
            missing = [index for index in read[waiting[-1]] if index not in done]
            if missing:
                waiting += missing
            else:
                index = waiting.pop()
                done.setdefault(index, graph.node[index])
    ordered = list(done.values())
    del graph.node[:]
    graph.node.extend(ordered)


def _raise_opset(proto: onnx.ModelProto, opset: int) -> None:
    """Bring the graph to a newer opset; constants that this adds become initialisers."""
    proto.CopyFrom(version_converter.convert_version(proto, opset))
    graph = proto.graph
    for node in [node for node in graph.node if node.op_type == 'Constant']:
        for value in (a.t for a in node.attribute if a.name == 'value'):
            value.name = node.output[0]
            graph.initializer.append(value)
            graph.node.remove(node)
