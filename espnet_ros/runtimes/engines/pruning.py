"""Leaving out what nobody asks for."""

from __future__ import annotations

import onnx


def drop_output(graph: onnx.GraphProto, name: str) -> None:
    """Take an output away, and whatever was computed for it alone."""
    kept = [value for value in graph.output if value.name != name]
    del graph.output[:]
    graph.output.extend(kept)
    drop_unused(graph)


def drop_unused(graph: onnx.GraphProto) -> None:
    """Take nodes and constants away that no output depends on."""
    outputs = {value.name for value in graph.output}
    while True:
        used = outputs | {name for node in graph.node for name in node.input}
        kept = [node for node in graph.node if used & set(node.output)]
        if len(kept) == len(graph.node):
            break
        del graph.node[:]
        graph.node.extend(kept)
    constants = [entry for entry in graph.initializer if entry.name in used]
    del graph.initializer[:]
    graph.initializer.extend(constants)
