"""What the ONNX parser takes, by version (sections 1.4, 2.2, 2.4 and 5.2)."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper, TensorProto

REFUSED = frozenset({'MaxUnpool', 'NonZero', 'QLinearConv', 'ConvInteger', 'Hardmax'})
FLOAT_OPERATORS = ('Conv', 'ConvTranspose', 'MatMul', 'PRelu', 'Resize', 'Round', 'Softmax')
TRANSFORMS = (
    b'half_pixel',
    b'pytorch_half_pixel',
    b'tf_half_pixel_for_nn',
    b'asymmetric',
    b'align_corners',
)
FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16)


def find_errors(model: onnx.ModelProto, version: str) -> list[tuple[str, str]]:
    """Return (node, message) for everything that is not taken."""
    major = int(version.split('.', maxsplit=1)[0])
    graph = model.graph
    errors = []
    newest = 17 if major == 8 else 20
    if model.opset_import[0].version > newest:
        errors.append(('', f'unsupported opset {model.opset_import[0].version}'))
    errors += [
        (node.name, f'No importer registered for op: {node.op_type}')
        for node in graph.node
        if node.op_type in REFUSED
    ]
    types = _types(model)
    errors += _uint8_errors(graph, types)
    errors += _resize_errors(graph)
    errors += _type_errors(graph, types, version)
    errors += _quantization_errors(graph)
    return errors


def _cast_type(node: onnx.NodeProto) -> int:
    return next((a.i for a in node.attribute if a.name == 'to'), 0)


def _uint8_errors(graph: onnx.GraphProto, types: dict[str, int]) -> list[tuple[str, str]]:
    errors = []
    if graph.input[0].type.tensor_type.elem_type == TensorProto.UINT8:
        for node in graph.node:
            if graph.input[0].name in node.input and (
                node.op_type != 'Cast' or _cast_type(node) not in FLOATS
            ):
                errors.append(
                    (node.name, 'TensorRT does not support UINT8 types for intermediate tensors!')
                )
    producers = {name: node for node in graph.node for name in node.output}
    for output in graph.output:
        node = producers[output.name]
        if node.op_type != 'Cast' or types.get(node.input[0], TensorProto.FLOAT) not in FLOATS:
            message = (
                f'Network-level output tensor {output.name} has datatype UInt8 but is not '
                'produced by an IIdentityLayer or ICastLayer'
            )
            errors.append((node.name, message))
    return errors


def _resize_errors(graph: onnx.GraphProto) -> list[tuple[str, str]]:
    """Look at what the parser takes of Resize: two modes, five transforms, no antialias (2.4)."""
    errors = []
    for node in (node for node in graph.node if node.op_type == 'Resize'):
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if attributes.get('mode', b'nearest') not in (b'nearest', b'linear'):
            errors.append((node.name, 'Invalid Resize mode'))
        if attributes.get('coordinate_transformation_mode', b'half_pixel') not in TRANSFORMS:
            errors.append((node.name, 'unsupported coordinate transformation'))
        if attributes.get('antialias', 0):
            errors.append((node.name, 'TensorRT does not support antialias'))
    return errors


def _type_errors(
    graph: onnx.GraphProto, types: dict[str, int], version: str
) -> list[tuple[str, str]]:
    """Look at the types by docs/operators.md of onnx-tensorrt 8.6 and 10.1 (2.4)."""
    major = int(version.split('.', maxsplit=1)[0])
    refusing = set(FLOAT_OPERATORS)
    if major == 8:
        refusing.add('ReduceMax')
    return [
        (node.name, f'{node.op_type} takes FP32 and FP16 only')
        for node in graph.node
        if node.op_type in refusing and types.get(node.input[0], FLOATS[0]) not in FLOATS
    ]


def _types(model: onnx.ModelProto) -> dict[str, int]:
    known = onnx.shape_inference.infer_shapes(model)
    return {v.name: v.type.tensor_type.elem_type for v in known.graph.value_info}


def _quantization_errors(graph: onnx.GraphProto) -> list[tuple[str, str]]:
    constants = {entry.name: entry for entry in graph.initializer}
    errors = []
    for node in graph.node:
        if node.op_type not in ('QuantizeLinear', 'DequantizeLinear'):
            continue
        zero = constants.get(node.input[2]) if len(node.input) > 2 else None
        if zero is None or zero.data_type != TensorProto.INT8:
            errors.append((node.name, 'only INT8 zero points, and all three inputs'))
        elif np.any(numpy_helper.to_array(zero)):
            errors.append(
                (node.name, 'TensorRT only supports symmetric quantization - zeroPt must be zero')
            )
    return errors
