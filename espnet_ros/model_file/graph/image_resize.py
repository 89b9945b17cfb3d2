"""
The beginning of the graph, written so that it takes images of any size.

The camera's bytes go to the device as they are, and the device resizes them to the network's
input: bilinear with aligned pixel centres, as OpenCV's ``INTER_LINEAR`` does, but in float, so
that nothing is rounded to bytes on the way. It works on planes, (N, 3, H, W): OpenVINO is faster
there than on (N, H, W, 3), and it is the only layout that TensorRT's parsers promise for a
linear ``Resize``. The two transpositions fold into those that the networks begin with.
"""

from __future__ import annotations

from espnet_ros.model_file.file_format import IMAGE
from espnet_ros.model_file.graph.editing import make_node
import numpy as np
import onnx
from onnx import numpy_helper, TensorProto

_CHANNELS = 3
_RESIZED = 'resize.image'


def resize_in_graph(proto: onnx.ModelProto, size: tuple[int, int]) -> None:
    """
    Let the image input have any size; the outputs have the network's input size.

    Names, types and metadata stay. Where an image has the network's size already, nothing
    changes but the time.

    :param size: (height, width) of the network's input
    """
    graph = proto.graph
    for node in graph.node:
        for index, name in enumerate(node.input):
            if name == IMAGE:
                node.input[index] = _RESIZED
    nodes = [*_nodes(), *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend(_constants(size))
    _declare_sizes(graph, size)
    del graph.value_info[:]


def _nodes() -> list[onnx.NodeProto]:
    return [
        # The cast comes first, before any change of layout: TensorRT takes uint8 no other way.
        make_node('Cast', [IMAGE], 'resize.values', to=TensorProto.FLOAT),
        make_node('Transpose', ['resize.values'], 'resize.planes', perm=[0, 3, 1, 2]),
        make_node('Shape', ['resize.planes'], 'resize.shape'),
        make_node('Gather', ['resize.shape', 'resize.batch_axis'], 'resize.batch'),
        make_node('Concat', ['resize.batch', 'resize.size'], 'resize.sizes', axis=0),
        make_node(
            'Resize',
            ['resize.planes', '', '', 'resize.sizes'],
            'resize.resized',
            mode='linear',
            coordinate_transformation_mode='half_pixel',
        ),
        make_node('Transpose', ['resize.resized'], _RESIZED, perm=[0, 2, 3, 1]),
    ]


def _constants(size: tuple[int, int]) -> list[onnx.TensorProto]:
    constants = {'batch_axis': np.array([0]), 'size': np.array([_CHANNELS, *size])}
    return [numpy_helper.from_array(value, f'resize.{name}') for name, value in constants.items()]


def _declare_sizes(graph: onnx.GraphProto, size: tuple[int, int]) -> None:
    rows, columns = graph.input[0].type.tensor_type.shape.dim[1:3]
    rows.dim_param, columns.dim_param = 'image_height', 'image_width'
    for output in graph.output:
        for dim, pixels in zip(output.type.tensor_type.shape.dim[1:3], size, strict=True):
            dim.dim_value = pixels
