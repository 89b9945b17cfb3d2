"""
Which ONNX graphs of another origin can be model files.

Taken are graphs with one float image as input, (N, 3, H, W) or (N, H, W, 3), and one output:

- logits (or probabilities) of every class: float, (N, C, h, w) or (N, h, w, C);
- or labels: integer, (N, h, w) or (N, 1, h, w).

Input sizes that the file fixes stay as they are; the others become
:data:`DEFAULT_INPUT_SIZE`. Where the file leaves the channels of the image or the number of
classes open, its layers tell (:mod:`.external_layers`). Auxiliary outputs, as torchvision's
``aux``, are left out. Everything else is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.exceptions import ModelError
from espnet_ros.model_file.external_layers import GraphLayers
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
_CHANNELS = 3
_AUXILIARY = 'aux'
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

    :param image_type: element type of the input, as ONNX numbers it
    :param image_shape: its shape; None where any size goes
    :param output_shape: its shape for an image of :attr:`input_size`
    :param class_axis: axis of the classes, or None where the output holds labels
    :param class_count: how many classes there are, or None where the graph does not tell
    """

    image: str
    image_type: int
    image_shape: Shape
    output: str
    output_shape: Shape
    class_axis: int | None
    class_count: int | None

    @property
    def channels_first(self) -> bool:
        """Tell whether the image is (N, 3, H, W), not (N, H, W, 3)."""
        return _channels_first(self.image_shape)

    @property
    def input_size(self) -> tuple[int, int]:
        return _input_size(self.image_shape)

    @property
    def size_multiple(self) -> int:
        return ANY_SIZE_MULTIPLE if _spatial(self.image_shape) == (None, None) else 1

    @property
    def sizes(self) -> Shape:
        """Return batch size, height and width of the image; None where any goes."""
        return (self.image_shape[0], *_spatial(self.image_shape))

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
    :raises ModelError: it is none of the graphs in the module's docstring
    """
    image, image_shape = _find_image(proto, origin)
    sized = _at_input_size(proto, image.name, image_shape)
    layers = GraphLayers(sized)
    output, output_shape = _find_output(sized, proto, image_shape, layers, origin)
    class_axis = None
    class_count = layers.count_ids(output.name)
    element_type = output.type.tensor_type.elem_type
    if element_type in _FLOATS:
        told = layers.find_class_axis(output.name)
        class_axis = _find_class_axis(output_shape, image_shape, told, name_count)
        class_count = output_shape[class_axis]
        if (class_count or 0) < 2:
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
        class_count,
    )


def _find_image(proto: onnx.ModelProto, origin: str) -> tuple[onnx.ValueInfoProto, Shape]:
    """Return the input and its shape, in which the channels are known."""
    weights = {tensor.name for tensor in proto.graph.initializer}
    inputs: list[onnx.ValueInfoProto] = [v for v in proto.graph.input if v.name not in weights]
    more = ''
    if len(inputs) == 1 and inputs[0].type.tensor_type.elem_type in _FLOATS:
        shape = _shape_of(inputs[0]) or ()
        if len(shape) == 4 and _CHANNELS in (shape[1], shape[3]):
            return inputs[0], shape
        if len(shape) == 4 and None in (shape[1], shape[3]):  # the exporter of optimum, for one
            told = GraphLayers(proto.graph).find_channel_axis(inputs[0].name)
            if told is None:
                more = ', and no convolution that tells its channels'
            elif told[1] != _CHANNELS or shape[told[0]] is not None:
                more = f', of {told[1]} channels by its first convolution'
            else:
                axis = told[0]
                return inputs[0], (*shape[:axis], _CHANNELS, *shape[axis + 1 :])
    raise ModelError(
        f'model file {origin}: expected {_EXPECTED_INPUT}, found '
        f'{"; ".join(map(_words, inputs)) or "none"}{more}'
    )


def _at_input_size(proto: onnx.ModelProto, image: str, shape: Shape) -> onnx.GraphProto:
    """Return the graph with every shape worked out for one image of the size it is run at."""
    sized = onnx.ModelProto()
    sized.CopyFrom(proto)
    height, width = _input_size(shape)
    full = (1, 3, height, width) if _channels_first(shape) else (1, height, width, 3)
    value: onnx.ValueInfoProto = next(v for v in sized.graph.input if v.name == image)
    value.type.tensor_type.ClearField('shape')
    for found, size in zip(shape, full, strict=True):
        value.type.tensor_type.shape.dim.add().dim_value = size if found is None else found
    # What the file says of later shapes may hold names or sizes of its own export.
    del sized.graph.value_info[:]
    for output in sized.graph.output:
        output.type.tensor_type.ClearField('shape')
    return onnx.shape_inference.infer_shapes(sized, data_prop=True).graph


def _find_output(
    sized: onnx.GraphProto,
    proto: onnx.ModelProto,
    image_shape: Shape,
    layers: GraphLayers,
    origin: str,
) -> tuple[onnx.ValueInfoProto, Shape]:
    outputs = [
        (output, _known_shape(output, declared, image_shape, layers))
        for output, declared in zip(sized.output, proto.graph.output, strict=True)
        if len(sized.output) == 1 or not output.name.lower().startswith(_AUXILIARY)
    ]
    if len(outputs) == 1:
        ((output, shape),) = outputs
        element_type = output.type.tensor_type.elem_type
        is_logits = element_type in _FLOATS and len(shape) == 4
        has_label_shape = len(shape) == 3 or (len(shape) == 4 and shape[1] == 1)
        if is_logits or (element_type in _INTEGERS and has_label_shape):
            return output, shape
    raise ModelError(
        f'model file {origin}: expected {_EXPECTED_OUTPUT}, found '
        f'{"; ".join(map(_words, proto.graph.output))}'
    )


def _known_shape(
    output: onnx.ValueInfoProto,
    declared: onnx.ValueInfoProto,
    image_shape: Shape,
    layers: GraphLayers,
) -> Shape:
    """
    Return the shape of an output: as worked out, else as the layers or the file itself tell.

    Heights and widths of the file count where those of its image are fixed.
    """
    told = _shape_of(declared)
    shape = _shape_of(output) or told or ()
    if told is None or len(told) != len(shape):
        told = (None,) * len(shape)
    if None in _spatial(image_shape):
        channels = (1, 3) if len(shape) == 4 else ()
        one_known = [axis for axis in channels if told[axis] is not None]
        told = tuple(s if [axis] == one_known else None for axis, s in enumerate(told))
    found = [
        layers.find_size(output.name, axis) if size is None and len(shape) == 4 else size
        for axis, size in enumerate(shape)
    ]
    return tuple(a if a is not None else b for a, b in zip(found, told, strict=True))


def _find_class_axis(
    output_shape: Shape, image_shape: Shape, told: int | None, name_count: int
) -> int:
    """Return 1 or 3: where the names fit, else as layers tell, as the image, what is known."""
    likely = (1, 3) if _channels_first(image_shape) else (3, 1)
    if told in likely:
        likely = (told, 4 - told)
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
