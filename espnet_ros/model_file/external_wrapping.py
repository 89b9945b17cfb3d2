"""What is added to an ONNX graph of another origin, so that it is a model file."""

from __future__ import annotations

from typing import Any

from espnet_ros.config import ForeignModelSettings
from espnet_ros.model_file.external_graph import ExternalGraph
from espnet_ros.model_file.file_format import CONFIDENCE, IMAGE, LABELS
import numpy as np
from numpy.typing import NDArray
import onnx
from onnx import helper, numpy_helper, TensorProto

_NETWORK = 'network/'
_OURS = 'espnet_ros/'


def wrap_graph(
    proto: onnx.ModelProto, graph: ExternalGraph, settings: ForeignModelSettings
) -> onnx.ModelProto:
    """
    Return the graph with our inputs and outputs, as :mod:`.file_format` describes them.

    :param proto: a model of opset 13 or newer
    """
    network = onnx.compose.add_prefix(proto, _NETWORK)
    nodes = _NodeList(proto)
    nodes.prepare(graph, settings)
    entry_count = len(nodes.nodes)
    if graph.class_axis is None:
        nodes.finish_labels(graph)
    else:
        nodes.finish_logits(graph)
    sizes = [size or name for size, name in zip(graph.sizes, 'NHW', strict=True)]
    wrapped = helper.make_graph(
        [*nodes.nodes[:entry_count], *network.graph.node, *nodes.nodes[entry_count:]],
        proto.graph.name,
        [helper.make_tensor_value_info(IMAGE, TensorProto.UINT8, [*sizes, 3])],
        [
            helper.make_tensor_value_info(LABELS, TensorProto.UINT8, sizes),
            helper.make_tensor_value_info(CONFIDENCE, TensorProto.UINT8, sizes),
        ],
        [*network.graph.initializer, *nodes.initializers],
        sparse_initializer=network.graph.sparse_initializer,
    )
    return helper.make_model(
        wrapped,
        opset_imports=network.opset_import,
        functions=network.functions,
        ir_version=network.ir_version,
    )


class _NodeList:
    """Collects nodes and constants that are valid in the opset of a model."""

    def __init__(self, proto: onnx.ModelProto) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._opset = max(o.version for o in proto.opset_import if o.domain in ('', 'ai.onnx'))

    def prepare(self, graph: ExternalGraph, settings: ForeignModelSettings) -> None:
        """Add what leads from our image to the network's input."""
        # The cast comes first, before any change of layout: TensorRT takes uint8 no other way.
        value = self._cast(IMAGE, TensorProto.FLOAT)
        if settings.channel_order == 'rgb':
            order = self._constant('rgb', np.array([2, 1, 0], np.int64))
            value = self._add('Gather', [value, order], axis=3)
        std = np.broadcast_to(np.array(settings.std), 3)
        factor = (settings.scale / std).astype(np.float32)
        offset = (np.array(settings.mean) / std).astype(np.float32)
        value = self._add('Mul', [value, self._constant('factor', factor)])
        value = self._add('Sub', [value, self._constant('offset', offset)])
        if graph.channels_first:
            value = self._add('Transpose', [value], perm=[0, 3, 1, 2])
        self._cast(value, graph.image_type, output=_NETWORK + graph.image)

    def finish_logits(self, graph: ExternalGraph) -> None:
        """Add what leads from the network's logits to our outputs."""
        value = self._cast(_NETWORK + graph.output, TensorProto.FLOAT)
        if graph.class_axis == 3:
            value = self._add('Transpose', [value], perm=[0, 3, 1, 2])
        if graph.output_size != graph.input_size:
            value = self._resize(value, mode='linear')
        best = self._add('ArgMax', [value], axis=1, keepdims=0)
        self._to_bytes(best, LABELS)
        highest = self._reduce_max(self._add('Softmax', [value], axis=1))
        full = self._constant('full', np.array(255, np.float32))
        self._to_bytes(self._add('Round', [self._add('Mul', [highest, full])]), CONFIDENCE)

    def finish_labels(self, graph: ExternalGraph) -> None:
        """Add what leads from the network's labels to our outputs."""
        value = self._cast(_NETWORK + graph.output, TensorProto.FLOAT)
        axis = self._constant('axis', np.array([1], np.int64))
        if None not in graph.output_size and graph.output_size != graph.input_size:
            if len(graph.output_shape) == 3:
                value = self._add('Unsqueeze', [value, axis])
            value = self._add('Squeeze', [self._resize(value, mode='nearest'), axis])
        elif len(graph.output_shape) == 4:
            value = self._add('Squeeze', [value, axis])
        self._to_bytes(value, LABELS)
        full = numpy_helper.from_array(np.array([255], np.float32))
        sure = self._add('ConstantOfShape', [self._add('Shape', [value])], value=full)
        self._to_bytes(sure, CONFIDENCE)

    def _resize(self, value: str, mode: str) -> str:
        """Bring (N, C, h, w) to the size of the image."""
        zero, one, two, three = (
            self._constant(f'at_{i}', np.array([i], np.int64)) for i in range(4)
        )
        kept = self._add('Slice', [self._add('Shape', [value]), zero, two])
        size = self._add('Slice', [self._add('Shape', [IMAGE]), one, three])
        sizes = self._add('Concat', [kept, size], axis=0)
        return self._add(
            'Resize',
            [value, '', '', sizes],
            mode=mode,
            coordinate_transformation_mode='half_pixel',
            nearest_mode='round_prefer_floor',
        )

    def _reduce_max(self, value: str) -> str:
        if self._opset < 18:
            return self._add('ReduceMax', [value], axes=[1], keepdims=0)
        axis = self._constant('axis', np.array([1], np.int64))
        return self._add('ReduceMax', [value, axis], keepdims=0)

    def _to_bytes(self, value: str, output: str) -> None:
        # By way of float: TensorRT casts nothing else to uint8.
        self._cast(self._cast(value, TensorProto.FLOAT), TensorProto.UINT8, output=output)

    def _cast(self, value: str, element_type: int, output: str = '') -> str:
        return self._add('Cast', [value], output, to=element_type)

    def _constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.initializers.append(numpy_helper.from_array(value, _OURS + name))
        return _OURS + name

    def _add(self, kind: str, inputs: list[str], output: str = '', **attributes: Any) -> str:
        output = output or f'{_OURS}{kind.lower()}_{len(self.nodes)}'
        self.nodes.append(
            helper.make_node(kind, inputs, [output], name=f'{_OURS}{output}', **attributes)
        )
        return output
