"""
What is done to the graph that torch exports, before it becomes a model file.

The parameters keep the names that they have in torch, so that a network can be rebuilt from
the model file alone: constants are folded, but nothing is fused; runtimes fuse by themselves
and better.
"""

from __future__ import annotations

from collections.abc import Collection

import onnx
from onnx import version_converter
import onnx_ir as ir
from onnxscript import optimizer, rewriter
from onnxscript.rewriter.rules.common import (
    remove_optional_bias_from_conv_rule,
    remove_optional_bias_from_conv_transpose_rule,
)

OPSET = 17
"""The newest that TensorRT 8.6 takes in full."""

IR_VERSION = 8
"""The oldest that opset 17 allows; parsers on robots are older than the exporter."""


def clean_graph(model: ir.Model) -> onnx.ModelProto:
    """
    Return the exported model without what serves no runtime.

    Gone are the zero biases and shape computations that the exporter writes, and the stack
    traces with file names of the machine that exported. The opset becomes :data:`OPSET`.

    :param model: what ``torch.onnx.export(..., optimize=False)`` gave; changed in place
    """
    slopes = _slope_names(model)
    optimizer.fold_constants(model)
    rewriter.rewrite(
        model,
        [
            remove_optional_bias_from_conv_rule,
            remove_optional_bias_from_conv_transpose_rule,
        ],
    )
    optimizer.remove_unused_nodes(model)
    for node, name in slopes:
        slope = node.inputs[1]
        if slope is not None:
            slope.name = name
    proto = ir.to_proto(model)
    _strip(proto)
    proto = version_converter.convert_version(proto, OPSET)
    _drop_newer_attributes(proto)
    proto.ir_version = IR_VERSION
    return proto


def missing_parameters(proto: onnx.ModelProto, names: Collection[str]) -> list[str]:
    """Return those of ``names`` that the graph has no initializer of."""
    present = {tensor.name for tensor in proto.graph.initializer}
    return sorted(set(names) - present)


def _slope_names(model: ir.Model) -> list[tuple[ir.Node, str]]:
    """
    Return each PRelu node with the name of the parameter that its slope comes from.

    The exporter reshapes the slope from (C,) to (C, 1, 1); folding leaves a nameless constant.
    """
    found = []
    for node in model.graph:
        slope = node.inputs[1] if node.op_type == 'PRelu' else None
        while slope is not None and (reshape := slope.producer()) is not None:
            slope = reshape.inputs[0]
        if slope is not None and slope.name:
            found.append((node, slope.name))
    return found


def _drop_newer_attributes(proto: onnx.ModelProto) -> None:
    """Take away what the conversion forgets on means: an attribute that is new in opset 18."""
    for node in proto.graph.node:
        if node.op_type == 'ReduceMean':
            kept = [entry for entry in node.attribute if entry.name != 'noop_with_empty_axes']
            del node.attribute[:]
            node.attribute.extend(kept)


def _strip(proto: onnx.ModelProto) -> None:
    del proto.graph.value_info[:]
    del proto.graph.metadata_props[:]
    for part in (
        *proto.graph.node,
        *proto.graph.initializer,
        *proto.graph.input,
        *proto.graph.output,
    ):
        part.ClearField('doc_string')
        del part.metadata_props[:]
