"""What rewrites of graphs share: looking a graph up, and putting nodes in the places of others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
import onnx
from onnx import helper, numpy_helper


class GraphView:
    """
    A graph, as it was when this was made, with the constants that are added since.

    :ivar producers: the node that gives each tensor
    :ivar readers: the nodes that read each tensor; the graph's outputs are not among them
    """

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._graph = graph
        self.constants = {entry.name: entry for entry in graph.initializer}
        self.producers = {name: node for node in graph.node for name in node.output}
        self.readers: dict[str, list[onnx.NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)
        self.outputs = {value.name for value in graph.output}

    def only_reader(self, name: str) -> onnx.NodeProto | None:
        """Return the one node that reads a tensor, or None where others see it too."""
        found = self.readers.get(name, [])
        return found[0] if len(found) == 1 and name not in self.outputs else None

    def is_plain(self, node: onnx.NodeProto) -> bool:
        """Return whether all but a node's first input is known, and it has one group."""
        known = all(name in self.constants for name in node.input[1:])
        return known and attributes(node).get('group', 1) == 1

    def affine(self, node: onnx.NodeProto) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the factor and the offset of each channel of a batch normalisation."""
        scale, offset, mean, variance = (
            self.values(name).astype(np.float64) for name in node.input[1:5]
        )
        factor = scale / np.sqrt(variance + attributes(node).get('epsilon', 1e-5))
        return factor, offset - mean * factor

    def values(self, name: str) -> NDArray[Any]:
        return numpy_helper.to_array(self.constants[name])

    def add(self, name: str, values: NDArray[Any]) -> str:
        entry = numpy_helper.from_array(np.ascontiguousarray(values), name)
        self._graph.initializer.append(entry)
        self.constants[name] = entry
        return name

    def pad(self, node: onnx.NodeProto, index: int, axis: int, count: int) -> None:
        """Give an input of a node so many more rows of zeros, in a constant of its own."""
        values = self.values(node.input[index])
        widths = [(0, count * (place == axis)) for place in range(values.ndim)]
        name = f'{node.input[index]}.{node.output[0]}.padded'
        node.input[index] = self.add(name, np.pad(values, widths))


def make_node(kind: str, inputs: Iterable[str], output: str, **settings: Any) -> onnx.NodeProto:
    """Return a node of one output, whose name it has."""
    return helper.make_node(kind, list(inputs), [output], name=output, **settings)


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}


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
    _put_nodes(graph, [*kept, *nodes])


def replace_nodes(
    graph: onnx.GraphProto, replacements: Mapping[str, Sequence[onnx.NodeProto]]
) -> None:
    """
    Put others in the places of some nodes, and drop what none needs any more.

    :param replacements: by the first tensor that the node gives
    """
    _put_nodes(
        graph, [new for node in graph.node for new in replacements.get(node.output[0], [node])]
    )


def _put_nodes(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
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
