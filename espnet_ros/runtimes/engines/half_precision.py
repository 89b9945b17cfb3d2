"""FP16 types in the ONNX file, as TensorRT 11 wants them: it has no flag for it any more."""

from __future__ import annotations

from importlib import import_module
import logging
import warnings

from espnet_ros.exceptions import RuntimeUnavailableError
import onnx
from onnx import version_converter

logger = logging.getLogger(__name__)

_QUANTIZED_OPSET = 19
"""The first whose QuantizeLinear and DequantizeLinear are of FP16 (TensorRT 10 and newer)."""


def to_half_precision(proto: onnx.ModelProto) -> onnx.ModelProto:
    """
    Return the network with FP16 where it had FP32; uint8 inputs and outputs stay.

    So do the INT8 layers of a quantised network: their scales become FP16, so that nothing but
    INT8 and FP16 is left, and no cast stands between a layer and its scales.

    :raises RuntimeUnavailableError: the converter, part of onnxruntime, is not installed
    """
    try:
        converter = import_module('onnxruntime.transformers.float16')
    except ImportError as error:
        raise RuntimeUnavailableError(
            'tensorrt: this version has no FP16 flag, and the network has to be converted '
            'first, which needs onnxruntime: pip install onnxruntime, or set precision to fp32'
        ) from error
    if any(node.op_type == 'QuantizeLinear' for node in proto.graph.node):
        proto = _of_opset(proto, _QUANTIZED_OPSET)
    with warnings.catch_warnings():
        # It tells of each weight that is too small for FP16; those of ESPNet are many.
        warnings.simplefilter('ignore')
        converted: onnx.ModelProto = converter.convert_float_to_float16(
            proto, keep_io_types=True, op_block_list=converter.DEFAULT_OP_BLOCK_LIST
        )
    onnx.checker.check_model(converted)
    return converted


def _of_opset(proto: onnx.ModelProto, opset: int) -> onnx.ModelProto:
    """Return the network in a newer opset; constants that this adds are initialisers."""
    converted: onnx.ModelProto = version_converter.convert_version(proto, opset)
    graph = converted.graph
    for node in [node for node in graph.node if node.op_type == 'Constant']:
        (value,) = (a.t for a in node.attribute if a.name == 'value')
        value.name = node.output[0]
        graph.initializer.append(value)
        graph.node.remove(node)
    return converted
