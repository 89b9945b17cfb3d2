"""
PReLU as ReLU and the scaled negative part.

NVIDIA's compiler makes both part of the kernel of the convolution before, and of a PReLU a kernel
of its own. One of the two parts is always zero, so that no value changes.
"""

from __future__ import annotations

from espnet_ros.model_file.graph.editing import GraphView, make_node, replace_nodes
import numpy as np
import onnx


def split_prelu(proto: onnx.ModelProto) -> None:
    """Rewrite each PReLU whose slopes are known."""
    graph = proto.graph
    view = GraphView(graph)
    replace_nodes(
        graph,
        {
            node.output[0]: _parts(view, node)
            for node in graph.node
            if node.op_type == 'PRelu' and view.is_plain(node)
        },
    )


def _parts(view: GraphView, node: onnx.NodeProto) -> list[onnx.NodeProto]:
    (values, slopes), output = node.input, node.output[0]
    zero = view.add(f'{output}.zero', np.zeros((), view.values(slopes).dtype))
    steps = (
        ('Relu', [values], f'{output}.above'),
        ('Min', [values, zero], f'{output}.below'),
        ('Mul', [f'{output}.below', slopes], f'{output}.scaled'),
        ('Add', [f'{output}.above', f'{output}.scaled'], output),
    )
    return [make_node(*step) for step in steps]
