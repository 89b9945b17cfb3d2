"""The ONNX file that an engine is built from: the model file, fitted to TensorRT."""

from __future__ import annotations

from espnet_ros.exceptions import ModelError
from espnet_ros.model_file import CONFIDENCE, ModelFile
from espnet_ros.runtimes.engines.half_precision import to_half_precision
from espnet_ros.runtimes.engines.pruning import drop_output
import onnx
from onnx import helper, TensorProto

_NAMES = """
Add ArgMax AveragePool BatchNormalization Cast Clip Concat Constant Conv ConvTranspose
DepthToSpace DequantizeLinear Div Dropout Equal Exp Expand Flatten Gather Gemm GlobalAveragePool
Greater Identity LeakyRelu MatMul Max MaxPool Min Mul PRelu Pad Pow QuantizeLinear ReduceMax
ReduceMean ReduceSum Relu Reshape Resize Round Shape Sigmoid Slice Softmax Split Sqrt Squeeze Sub
Sum Tanh Transpose Unsqueeze Upsample Where
"""
OPERATORS = frozenset(_NAMES.split())
"""What segmentation networks are made of, of the list that the ONNX parsers of TensorRT 8.4 to
10.1 take in FP32 and FP16 (docs/operators.md of onnx-tensorrt; ``MaxUnpool`` is not among it)."""

NEWEST_OPSET = 17
"""The newest that the parsers of TensorRT 8.5 and 8.6 take; 10 takes 9 to 20."""


def fit_network(
    model: ModelFile,
    batch_size: int | None,
    *,
    as_half: bool,
    image_size: tuple[int, int] | None = None,
    has_confidence: bool = True,
) -> bytes:
    """
    Return the network for TensorRT.

    The size of the image is fixed, as engines are faster so.

    :param model: as it is computed
    :param batch_size: fixes the batch too, or None to leave it free
    :param image_size: (height, width) of the images; None for the network's input size
    :param as_half: write FP16 types into it, as strongly typed TensorRT wants them
    :param has_confidence: leave the confidence in it
    :raises ModelError: it cannot be made
    """
    proto = onnx.load_model_from_string(model.data)
    if not has_confidence:
        drop_output(proto.graph, CONFIDENCE)
    _fix_size(proto, model, batch_size, image_size or model.info.input_size)
    _cast_image_first(proto.graph)
    _cast_through_float(proto.graph)
    del proto.graph.value_info[:]
    if as_half:
        proto = to_half_precision(proto)
    return bytes(proto.SerializeToString())


def find_obstacles(model: ModelFile, version: tuple[int, ...]) -> list[str]:
    """
    Return what TensorRT's parser would not take, in words.

    :param version: of TensorRT
    """
    proto = onnx.load_model_from_string(model.data)
    graph = proto.graph
    found = []
    opset = next((o.version for o in proto.opset_import if o.domain in ('', 'ai.onnx')), 0)
    newest = NEWEST_OPSET if version < (9,) else 20
    if opset > newest and version < (10, 2):
        found.append(f'opset {opset}, where it takes {newest} at most')
    found += [
        f'operator {kind}' for kind in sorted({node.op_type for node in graph.node} - OPERATORS)
    ]
    if any(n.op_type == 'MaxPool' and len(n.output) > 1 and n.output[1] for n in graph.node):
        found.append('the indices of MaxPool')
    found += _uint8_obstacles(graph)
    return found


def refuse_obstacles(graph: ModelFile, version: tuple[int, ...]) -> None:
    """
    Refuse what TensorRT's parser would not take, before anything takes time.

    :raises ModelError: with all of it
    """
    obstacles = find_obstacles(graph, version)
    if obstacles:
        words = '.'.join(map(str, version))
        raise ModelError(
            f'model file {graph.origin}: TensorRT {words} does not take it: {"; ".join(obstacles)}'
        )


def _uint8_obstacles(graph: onnx.GraphProto) -> list[str]:
    """Look at the end: uint8 comes straight from a cast."""
    found = []
    producers = {name: node for node in graph.node for name in node.output}
    for output in graph.output:
        last = producers.get(output.name)
        if last is None or last.op_type != 'Cast':
            found.append(f'the uint8 output {output.name}, which no cast writes')
    return found


def _cast_image_first(graph: onnx.GraphProto) -> None:
    """Let nothing but a cast to float read the image: a uint8 input may go nowhere else."""
    image = graph.input[0]
    if image.type.tensor_type.elem_type != TensorProto.UINT8:
        return
    values = f'{image.name}.values'
    for node in graph.node:
        for index, name in enumerate(node.input):
            if name == image.name:
                node.input[index] = values
    cast = helper.make_node('Cast', [image.name], [values], to=TensorProto.FLOAT)
    graph.node.insert(0, cast)


def _cast_through_float(graph: onnx.GraphProto) -> None:
    """Put a cast to float before each uint8 output: it may not be cast from integers."""
    outputs = {output.name for output in graph.output}
    for index in reversed(range(len(graph.node))):
        node = graph.node[index]
        if node.op_type == 'Cast' and node.output[0] in outputs:
            between = f'{node.output[0]}.float'
            cast = helper.make_node('Cast', [node.input[0]], [between], to=TensorProto.FLOAT)
            node.input[0] = between
            graph.node.insert(index, cast)


def _fix_size(
    proto: onnx.ModelProto,
    model: ModelFile,
    batch_size: int | None,
    image_size: tuple[int, int],
) -> None:
    dims = proto.graph.input[0].type.tensor_type.shape.dim
    for dim, size in zip(dims, (batch_size, *image_size), strict=False):
        if size is None:
            continue
        if dim.HasField('dim_value') and dim.dim_value != size:
            raise ModelError(
                f'model file {model.origin}: its graph takes {dim.dim_value} where {size} is '
                'asked for; export it with free sizes'
            )
        dim.dim_value = size
    for output in proto.graph.output:
        for dim, size in zip(
            output.type.tensor_type.shape.dim, (batch_size, *model.info.input_size), strict=True
        ):
            if size is not None:
                dim.dim_value = size
