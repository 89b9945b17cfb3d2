"""FP16 types in the ONNX file, as TensorRT 11 wants them: it has no flag for it any more."""

from __future__ import annotations

from importlib import import_module
import logging
import warnings

from espnet_ros.exceptions import RuntimeUnavailableError
import onnx

logger = logging.getLogger(__name__)

_KEPT = ('QuantizeLinear', 'DequantizeLinear')
"""Their scales stay FP32, which every version takes."""


def to_half_precision(proto: onnx.ModelProto) -> onnx.ModelProto:
    """
    Return the network with FP16 where it had FP32; uint8 inputs and outputs stay.

    :raises RuntimeUnavailableError: the converter, part of onnxruntime, is not installed
    """
    try:
        converter = import_module('onnxruntime.transformers.float16')
    except ImportError as error:
        raise RuntimeUnavailableError(
            'tensorrt: this version has no FP16 flag, and the network has to be converted '
            'first, which needs onnxruntime: pip install onnxruntime, or set precision to fp32'
        ) from error
    with warnings.catch_warnings():
        # It tells of each weight that is too small for FP16; those of ESPNet are many.
        warnings.simplefilter('ignore')
        converted: onnx.ModelProto = converter.convert_float_to_float16(
            proto,
            keep_io_types=True,
            op_block_list=[*converter.DEFAULT_OP_BLOCK_LIST, *_KEPT],
        )
    onnx.checker.check_model(converted)
    return converted
