"""What is rewritten to save kernels computes what the graph before computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from espnet_ros.model_file.graph.depth_to_space import use_depth_to_space
from espnet_ros.model_file.graph.pool_filters import pool_by_filters
from espnet_ros.model_file.graph.small_pyramids import sum_small_pyramids
from espnet_ros.model_file.graph.split_prelu import split_prelu
import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
import pytest

onnxruntime = pytest.importorskip('onnxruntime')

RANDOM = np.random.default_rng(5)
Node = tuple[str, list[str], str, dict[str, Any]]
Rewrite = Callable[[onnx.ModelProto], None]


def make_graph(
    nodes: list[Node], constants: dict[str, tuple[int, ...]], *outputs: str
) -> onnx.ModelProto:
    """Return a graph from x, (N, 3, H, W), with random constants of these shapes."""
    values = {name: RANDOM.normal(size=shape) for name, shape in constants.items()}
    if 'variance' in values:
        values['variance'] = np.abs(values['variance']) + 0.5
    shape = ['N', 3, 'H', 'W']
    graph = helper.make_graph(
        [helper.make_node(kind, read, [to], name=to, **has) for kind, read, to, has in nodes],
        'part',
        [helper.make_tensor_value_info('x', TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 4) for name in outputs],
        [numpy_helper.from_array(v.astype(np.float32), name) for name, v in values.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)


def run(proto: onnx.ModelProto) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    batch = np.random.default_rng(6).normal(size=(2, 3, 24, 40)).astype(np.float32)
    return list(session.run(None, {'x': batch}))


def rewrite(proto: onnx.ModelProto, change: Rewrite) -> Counter[str]:
    """Rewrite a graph in place; check that it gives the same, and count its operators."""
    expected = run(proto)
    change(proto)
    onnx.checker.check_model(proto, full_check=True)
    for found, value in zip(run(proto), expected, strict=True):
        np.testing.assert_allclose(found, value, rtol=1e-4, atol=1e-4)
        assert np.ptp(value) > 1
    return Counter(node.op_type for node in proto.graph.node)


def conv(source: str, weight: str, output: str, dilation: int = 1, **has: Any) -> Node:
    settings = {'pads': [dilation] * 4, 'dilations': [dilation] * 2, 'kernel_shape': [3, 3]}
    return ('Conv', [source, weight], output, settings | has)


def test_prelu_in_parts_is_equal_to_the_bit() -> None:
    proto = make_graph([('PRelu', ['x', 'slopes'], 'y', {})], {'slopes': (3, 1, 1)}, 'y')
    (expected,) = run(proto)
    assert rewrite(proto, split_prelu) == {'Relu': 1, 'Min': 1, 'Mul': 1, 'Add': 1}
    np.testing.assert_array_equal(run(proto)[0], expected)


STEPS = {'strides': [2, 2], 'pads': [1, 1, 1, 1], 'kernel_shape': [3, 3]}


def pooled(*, bias: bool, **pool: Any) -> onnx.ModelProto:
    read = ['x', 'weight', 'bias'][: 2 + bias]
    nodes: list[Node] = [
        ('AveragePool', ['x'], 'pool', {**STEPS, 'count_include_pad': 1} | pool),
        ('Conv', read, 'conv', STEPS),
    ]
    return make_graph(nodes, {'weight': (4, 3, 3, 3), 'bias': (4,)}, 'pool', 'conv')


@pytest.mark.parametrize('bias', [False, True])
def test_a_pool_beside_a_convolution_becomes_its_filters(bias: bool) -> None:
    assert rewrite(pooled(bias=bias), pool_by_filters) == {'Conv': 1, 'Slice': 2}


@pytest.mark.parametrize('other', [{'strides': [1, 1]}, {'count_include_pad': 0}])
def test_a_pool_of_other_places_stays(other: dict[str, Any]) -> None:
    assert rewrite(pooled(bias=False, **other), pool_by_filters)['AveragePool'] == 1


def pyramid(
    *, channels: int = 4, dilations: tuple[int, ...] = (1, 2, 4, 8, 16), read: str = 'y'
) -> onnx.ModelProto:
    """Return an ESP module: branches, sums of all but the first, side by side."""
    nodes: list[Node] = [conv('x', 'reduce', 'reduced')]
    shapes = {'reduce': (channels, 3, 3, 3)}
    parts: list[str] = []
    for index, dilation in enumerate(dilations):
        shapes[f'w{index}'] = (5 if index == 0 else 3, channels, 3, 3)
        nodes.append(conv('reduced', f'w{index}', f'b{index}', dilation))
        if index > 1:
            nodes.append(('Add', [parts[-1], f'b{index}'], f's{index}', {}))
        parts.append(f's{index}' if index > 1 else f'b{index}')
    nodes.append(('Concat', parts, 'y', {'axis': 1}))
    return make_graph(nodes, shapes, *{'y', read})


@pytest.mark.parametrize(
    ('dilations', 'expected'),
    [
        ((1, 2, 4, 8, 16), {'Conv': 4, 'Add': 2}),
        ((1, 2, 4), {'Conv': 3, 'Add': 1}),
        ((1, 2), {'Conv': 2}),
        ((1, 4), {'Conv': 3, 'Add': 1}),
    ],
)
def test_a_small_pyramid_is_a_sum_of_few_convolutions(dilations, expected) -> None:
    assert rewrite(pyramid(dilations=dilations), sum_small_pyramids) == expected


@pytest.mark.parametrize('other', [{'channels': 9}, {'read': 'b1'}, {'dilations': (1, 2, 2)}])
def test_other_pyramids_stay(other: dict[str, Any]) -> None:
    assert rewrite(pyramid(**other), sum_small_pyramids)['Concat'] == 1


def doubled(
    *, kernel: int = 2, read: str = 'y', middle: int = 5, last: int = 4
) -> onnx.ModelProto:
    """Return a 1x1 convolution, a batch normalisation and a transposed convolution."""
    norm = ['gain', 'shift', 'mean', 'variance']
    nodes: list[Node] = [
        conv('x', 'wide', 'features'),
        ('Conv', ['features', 'narrow', 'bias'], 'scores', {}),
        ('BatchNormalization', ['scores', *norm], 'normal', {'epsilon': 1e-3}),
        ('ConvTranspose', ['normal', 'up', 'last'], 'y', {'strides': [2, 2]}),
    ]
    shapes = {'wide': (64, 3, 3, 3), 'narrow': (middle, 64, 1, 1), 'bias': (middle,)}
    shapes |= {'up': (middle, last, kernel, kernel), 'last': (last,)}
    return make_graph(nodes, shapes | dict.fromkeys(norm, (middle,)), *{'y', read})


def test_what_is_linear_in_a_pixel_is_one_product_with_the_doubling() -> None:
    assert rewrite(doubled(), use_depth_to_space) == {'Conv': 2, 'DepthToSpace': 1}


@pytest.mark.parametrize('other', [{'read': 'scores'}, {'middle': 1, 'last': 64}])
def test_what_others_read_or_what_is_cheaper_apart_stays_before_the_doubling(other) -> None:
    assert rewrite(doubled(**other), use_depth_to_space) == {'Conv': 3, 'DepthToSpace': 1}


def test_windows_that_overlap_stay() -> None:
    assert rewrite(doubled(kernel=3), use_depth_to_space)['ConvTranspose'] == 1
