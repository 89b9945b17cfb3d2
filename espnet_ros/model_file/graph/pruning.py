"""Replacing what gives the outputs, and leaving out what none needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import onnx


def drop_output(proto: onnx.ModelProto, name: str) -> None:
    """Take an output away, and whatever was computed for it alone."""
    graph = proto.graph
    kept = [value for value in graph.output if value.name != name]
    del graph.output[:]
    graph.output.extend(kept)
    drop_unused(graph)


def replace_ends(graph: onnx.GraphProto, nodes: Iterable[onnx.NodeProto]) -> None:
    """Let other nodes, which come last, give all outputs, and drop what those before needed."""
    outputs = {value.name for value in graph.output}
    kept = [node for node in graph.node if not outputs & set(node.output)]
    del graph.node[:]
    graph.node.extend([*kept, *nodes])
    drop_unused(graph)
    del graph.value_info[:]


def replace_nodes(
    graph: onnx.GraphProto, replacements: Mapping[str, Sequence[onnx.NodeProto]]
) -> None:
    """
    Put others in the places of some nodes, and drop what none needs any more.

    :param replacements: by the first tensor that the node gives
    """
    nodes = [new for node in graph.node for new in replacements.get(node.output[0], [node])]
    del graph.node[:]
    graph.node.extend(nodes)
    drop_unused(graph)
    del graph.value_info[:]


def drop_unused(graph: onnx.GraphProto) -> None:
    """Take nodes and constants away that no output depends on; nodes are in order."""
    used = {value.name for value in graph.output}
    kept = []
    for node in reversed(graph.node):
        if used & set(node.output):
            used |= set(node.input) | captured_names(node)
            kept.append(node)
    if len(kept) < len(graph.node):
        del graph.node[:]
        graph.node.extend(kept[::-1])
    constants = [entry for entry in graph.initializer if entry.name in used]
    if len(constants) < len(graph.initializer):
        del graph.initializer[:]
        graph.initializer.extend(constants)


def captured_names(node: onnx.NodeProto) -> set[str]:
    """Return the names that the graphs inside of a node (If, Loop, Scan) may take from outside."""
    return {
        name
        for attribute in node.attribute
        for graph in (attribute.g, *attribute.graphs)
        for inner in graph.node
        for name in (*inner.input, *captured_names(inner), *(value.name for value in graph.output))
    }
