"""
Which ONNX graphs of another origin can be model files.

Taken are graphs with one float image as input, (N, 3, H, W) or (N, H, W, 3), and one output:

- logits (or probabilities) of every class: float, (N, C, h, w) or (N, h, w, C);
- or labels: integer, (N, h, w) or (N, 1, h, w).

Input sizes that the file fixes stay as they are; the others become
:data:`DEFAULT_INPUT_SIZE`. Everything else is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.exceptions import ModelError
import onnx
from onnx import TensorProto

DEFAULT_INPUT_SIZE = (512, 1024)
"""(height, width) of networks that take any size."""

ANY_SIZE_MULTIPLE = 32
"""What sizes must be multiples of where a network takes any; most reduce by up to 32."""

_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16)
_INTEGERS = (
    TensorProto.BOOL,
    TensorProto.UINT8,
    TensorProto.INT8,
    TensorProto.INT32,
    TensorProto.INT64,
)
_EXPECTED_INPUT = 'one float image of shape (N, 3, H, W) or (N, H, W, 3) as input'
_EXPECTED_OUTPUT = (
    'one output: float logits of shape (N, C, h, w) or (N, h, w, C), or integer labels of '
    'shape (N, h, w) or (N, 1, h, w)'
)

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class ExternalGraph:
    """
    What a graph takes and gives.

    :param image: name of the input
    :param image_type: element type of the input, as ONNX numbers it
    :param image_shape: its shape; None where any size goes
    :param output: name of the output
    :param output_shape: its shape for an image of :attr:`input_size`
    :param class_axis: axis of the classes, or None where the output holds labels
    """

    image: str
    image_type: int
    image_shape: Shape
    output: str
    output_shape: Shape
    class_axis: int | None

    @property
    def channels_first(self) -> bool:
        """Tell whether the image is (N, 3, H, W), not (N, H, W, 3)."""
        return _channels_first(self.image_shape)

    @property
    def input_size(self) -> tuple[int, int]:
        """Return the (height, width) that the network is run at."""
        return _input_size(self.image_shape)

    @property
    def size_multiple(self) -> int:
        """Return what heights and widths must be multiples of."""
        return ANY_SIZE_MULTIPLE if _spatial(self.image_shape) == (None, None) else 1

    @property
    def sizes(self) -> Shape:
        """Return batch size, height and width of the image; None where any goes."""
        return (self.image_shape[0], *_spatial(self.image_shape))

    @property
    def class_count(self) -> int | None:
        """Return how many classes there are, or None where the graph does not tell."""
        return None if self.class_axis is None else self.output_shape[self.class_axis]

    @property
    def output_size(self) -> Shape:
        """Return (height, width) of the output; None where it is not known."""
        if self.class_axis == 3:
            return self.output_shape[1:3]
        return self.output_shape[-2:]


def describe_graph(proto: onnx.ModelProto, name_count: int, origin: str) -> ExternalGraph:
    """
    Find out what a graph takes and gives.

    :param name_count: how many class names there are, 0 for none; tells the axis of the
        classes where both could be
    :param origin: the file, for error messages
    :raises ModelError: it is none of the graphs in the module's docstring
    """
    image = _find_image(proto, origin)
    image_shape = _shape_of(image) or ()
    output = _find_output(_at_input_size(proto, image.name, image_shape), proto, origin)
    output_shape = _shape_of(output) or ()
    class_axis = None
    if output.type.tensor_type.elem_type in _FLOATS:
        class_axis = _find_class_axis(output_shape, image_shape, name_count)
        if (output_shape[class_axis] or 0) < 2:
            raise ModelError(
                f'model file {origin}: expected {_EXPECTED_OUTPUT}, of at least 2 classes; found '
                f'{_words(output)}'
            )
    return ExternalGraph(
        image.name,
        image.type.tensor_type.elem_type,
        image_shape,
        output.name,
        output_shape,
        class_axis,
    )


def _find_image(proto: onnx.ModelProto, origin: str) -> onnx.ValueInfoProto:
    weights = {tensor.name for tensor in proto.graph.initializer}
    inputs: list[onnx.ValueInfoProto] = [v for v in proto.graph.input if v.name not in weights]
    if len(inputs) == 1 and inputs[0].type.tensor_type.elem_type in _FLOATS:
        shape = _shape_of(inputs[0])
        if shape is not None and len(shape) == 4 and 3 in (shape[1], shape[3]):
            return inputs[0]
    raise ModelError(
        f'model file {origin}: expected {_EXPECTED_INPUT}, found '
        f'{"; ".join(map(_words, inputs)) or "none"}'
    )


def _at_input_size(proto: onnx.ModelProto, image: str, shape: Shape) -> onnx.GraphProto:
    """Return the graph with every shape worked out for one image of the size it is run at."""
    sized = onnx.ModelProto()
    sized.CopyFrom(proto)
    height, width = _input_size(shape)
    full = (1, 3, height, width) if _channels_first(shape) else (1, height, width, 3)
    value: onnx.ValueInfoProto = next(v for v in sized.graph.input if v.name == image)
    for dimension, found, size in zip(value.type.tensor_type.shape.dim, shape, full, strict=True):
        dimension.dim_value = size if found is None else found
    # What the file says of later shapes may hold names or sizes of its own export.
    del sized.graph.value_info[:]
    for output in sized.graph.output:
        output.type.tensor_type.ClearField('shape')
    return onnx.shape_inference.infer_shapes(sized, data_prop=True).graph


def _find_output(
    sized: onnx.GraphProto, proto: onnx.ModelProto, origin: str
) -> onnx.ValueInfoProto:
    if len(sized.output) == 1:
        # Shape inference does not know every operator; then the file's own word counts.
        is_known = _shape_of(sized.output[0]) is not None
        output: onnx.ValueInfoProto = (sized if is_known else proto.graph).output[0]
        element_type, shape = output.type.tensor_type.elem_type, _shape_of(output) or ()
        is_logits = element_type in _FLOATS and len(shape) == 4
        has_label_shape = len(shape) == 3 or (len(shape) == 4 and shape[1] == 1)
        if is_logits or (element_type in _INTEGERS and has_label_shape):
            return output
    raise ModelError(
        f'model file {origin}: expected {_EXPECTED_OUTPUT}, found '
        f'{"; ".join(map(_words, proto.graph.output))}'
    )


def _find_class_axis(output_shape: Shape, image_shape: Shape, name_count: int) -> int:
    """Return 1 or 3: where the names fit, else as the image has it, else what is known."""
    likely = (1, 3) if _channels_first(image_shape) else (3, 1)
    fitting = [axis for axis in likely if name_count and output_shape[axis] == name_count]
    known = [axis for axis in likely if output_shape[axis] is not None]
    return (*fitting, *known, *likely)[0]


def _shape_of(value: onnx.ValueInfoProto) -> Shape | None:
    tensor = value.type.tensor_type
    if not tensor.HasField('shape'):
        return None
    return tuple(d.dim_value if d.dim_value > 0 else None for d in tensor.shape.dim)


def _channels_first(shape: Shape) -> bool:
    return shape[1] == 3


def _spatial(shape: Shape) -> Shape:
    return shape[2:] if _channels_first(shape) else shape[1:3]


def _input_size(shape: Shape) -> tuple[int, int]:
    height, width = _spatial(shape)
    return height or DEFAULT_INPUT_SIZE[0], width or DEFAULT_INPUT_SIZE[1]


def _words(value: onnx.ValueInfoProto) -> str:
    kind = TensorProto.DataType.Name(value.type.tensor_type.elem_type).lower()
    shape = _shape_of(value)
    if shape is None:
        return f'{value.name}: {kind} of unknown shape'
    sizes = ', '.join('any' if size is None else str(size) for size in shape)
    return f'{value.name}: {kind} of shape ({sizes})'
