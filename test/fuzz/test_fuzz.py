"""
Files and messages of any content end in one of our errors, or in none: never in another.

Run by ``make fuzz`` for FUZZ_SECONDS, which the four kinds share; the tests of every day leave
this folder out. A failure is shrunk and shown by hypothesis, which keeps it for the next run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
import os
from pathlib import Path
import time
from typing import Any

import cv2
from espnet_ros.config import ForeignModelSettings, RuntimeSettings
from espnet_ros.exceptions import ConfigError, EspnetError, InputError
from espnet_ros.export.any_model import open_any_model
from espnet_ros.labels import load_label_set, parse_grouping
from espnet_ros.processing.image_formats.header import read_header
from espnet_ros.processing.image_messages import compressed_to_bgr, ENCODINGS, raw_to_bgr
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmenter import Segmenter
from espnet_ros.sources import open_source
from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
import numpy as np
from onnx import helper, TensorProto
import pytest
import yaml

SECONDS = float(os.environ.get('FUZZ_SECONDS', '0'))
KINDS = 4
ROUND = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
pytestmark = pytest.mark.timeout(SECONDS + 300)


def keep_on(check: Callable[[], None]) -> int:
    """Run rounds of examples for this kind's share of the time; return how many."""
    deadline = time.monotonic() + SECONDS / KINDS
    rounds = 0
    while time.monotonic() < deadline or not rounds:
        check()
        rounds += 1
    return rounds


@st.composite
def damaged(draw: Any, originals: list[bytes]) -> bytes:
    """Draw a file of which some bytes are changed, left out or there twice."""
    data = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        length = draw(st.sampled_from([1, 2, 4, 8, 64, 1000]))
        kind = draw(st.sampled_from(['change', 'cut', 'drop', 'double', 'zero']))
        if kind == 'change':
            data[at : at + length] = draw(st.binary(min_size=1, max_size=min(length, 8)))
        elif kind == 'cut':
            del data[at:]
        elif kind == 'drop':
            del data[at : at + length]
        elif kind == 'double':
            data[at:at] = data[at : at + length]
        else:
            data[at : at + length] = bytes(len(data[at : at + length]))
    return bytes(data)


@dataclass
class Message:
    height: int = 0
    width: int = 0
    encoding: str = ''
    is_bigendian: int = 0
    step: int = 0
    data: bytes = b''
    format: str = field(default='')


PICTURE = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
FILES = [
    bytes(cv2.imencode(suffix, image, options)[1])
    for image in (PICTURE, PICTURE[..., 0])
    for suffix, options in (
        ('.png', []),
        ('.jpg', []),
        ('.jpg', [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
        ('.jpg', [cv2.IMWRITE_JPEG_RST_INTERVAL, 2]),
        ('.tiff', []),
        ('.webp', []),
        ('.bmp', []),
        ('.jp2', []),
        ('.pgm' if image.ndim == 2 else '.ppm', []),
    )
]
FORMATS = [
    'jpeg',
    'png',
    'rgb8; jpeg compressed bgr8',
    'bayer_rggb8; png compressed',
    '16UC1; tiff',
]
SIZES = st.one_of(st.integers(0, 40), st.sampled_from([2**16, 2**31, 2**32 - 1]))


def test_image_messages() -> None:
    @ROUND
    @given(
        st.builds(
            Message,
            height=SIZES,
            width=SIZES,
            encoding=st.one_of(st.sampled_from(ENCODINGS), st.text(max_size=8)),
            is_bigendian=st.integers(0, 255),
            step=SIZES,
            data=st.binary(max_size=4096),
        ),
        st.integers(8, 16),
    )
    def raw(message: Message, bit_depth: int) -> None:
        try:
            image = raw_to_bgr(message, bit_depth)
        except InputError:
            return
        assert image.shape == (message.height, message.width, 3)
        assert image.sum() >= 0

    @ROUND
    @given(damaged(FILES), st.one_of(st.sampled_from(FORMATS), st.text(max_size=20)))
    def compressed(data: bytes, told: str) -> None:
        read_header(data)
        try:
            image = compressed_to_bgr(Message(data=data, format=told))
        except InputError:
            return
        assert image.ndim == 3 and image.dtype == np.uint8

    def both() -> None:
        raw()
        compressed()

    assert keep_on(both)


def model_files(channel_model_path: Path) -> list[bytes]:
    """Return our own model file, and small files of another origin."""
    found = [channel_model_path.read_bytes()]
    for opset, last in ((9, 'Softmax'), (13, 'ArgMax'), (17, 'Identity')):
        nodes = [helper.make_node('Conv', ['x', 'w'], ['y']), helper.make_node(last, ['y'], ['z'])]
        kind = TensorProto.INT64 if last == 'ArgMax' else TensorProto.FLOAT
        graph = helper.make_graph(
            nodes,
            'g',
            [helper.make_tensor_value_info('x', TensorProto.FLOAT, ['n', 'c', 16, 32])],
            [helper.make_tensor_value_info('z', kind, ['n', 'k', 'h', 'w'])],
            [helper.make_tensor('w', TensorProto.FLOAT, [3, 3, 1, 1], np.eye(3).ravel())],
        )
        opsets = [helper.make_opsetid('', opset)]
        proto = helper.make_model(graph, opset_imports=opsets, ir_version=7)
        found.append(proto.SerializeToString())
    return found


AXIS = st.integers(-5, 5)
PERM = st.one_of(
    st.permutations([0, 1, 2, 3]), st.lists(st.integers(-1, 5), min_size=1, max_size=5)
)
OPERATORS: dict[str, tuple[int, dict[str, Any]]] = {
    'Add': (2, {}),
    'ArgMax': (1, {'axis': AXIS, 'keepdims': st.integers(0, 1)}),
    'Cast': (1, {'to': st.sampled_from([1, 2, 6, 7, 9, 10])}),
    'Concat': (2, {'axis': AXIS}),
    'Conv': (2, {'group': st.integers(0, 3)}),
    'ConvTranspose': (2, {'group': st.integers(0, 3)}),
    'Flatten': (1, {'axis': AXIS}),
    'Identity': (1, {}),
    'MatMul': (2, {}),
    'Relu': (1, {}),
    'Reshape': (2, {}),
    'Shape': (1, {}),
    'Softmax': (1, {'axis': AXIS}),
    'Transpose': (1, {'perm': PERM}),
}
"""How many inputs an operator has, and its attributes."""


@st.composite
def graphs(draw: Any) -> bytes:
    """Draw a graph of a few operators that each are valid, whose shapes need not fit."""
    names, nodes = ['w', 'x'], []
    for index in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(sorted(OPERATORS)))
        count, attributes = OPERATORS[kind]
        first = draw(st.sampled_from([names[-1], *names]))
        inputs = [first, 'w', *names][:count] if 'Conv' in kind else [first]
        inputs += [draw(st.sampled_from(names)) for _ in range(count - len(inputs))]
        drawn = {name: draw(values) for name, values in attributes.items()}
        nodes.append(helper.make_node(kind, inputs, [f'v{index}'], **drawn))
        names.append(f'v{index}')
    size = st.sampled_from(['n', 1, 3, 16, 32, 0])
    dims = st.one_of(
        st.sampled_from([['n', 'c', 'h', 'w'], [1, 3, 16, 32], ['n', 3, 'h', 'w']]),
        st.lists(size, min_size=1, max_size=5),
    )
    kinds = st.sampled_from([TensorProto.FLOAT, TensorProto.INT64, TensorProto.FLOAT16])
    shape = draw(
        st.one_of(st.sampled_from([[3, 3, 1, 1], [5, 3, 2, 2]]), st.lists(st.integers(0, 4)))
    )[:5]
    graph = helper.make_graph(
        nodes,
        'g',
        [helper.make_tensor_value_info('x', draw(st.one_of(st.just(1), kinds)), draw(dims))],
        [helper.make_tensor_value_info(names[-1], draw(kinds), draw(dims))],
        [helper.make_tensor('w', TensorProto.FLOAT, shape, np.ones(shape).ravel())],
    )
    opsets = [helper.make_opsetid('', draw(st.integers(6, 24)))]
    return bytes(helper.make_model(graph, opset_imports=opsets).SerializeToString())


def test_onnx_files(tmp_path: Path, channel_model_path: Path) -> None:
    path = tmp_path / 'model.onnx'
    names = st.sampled_from([('',), ('a', 'b', 'c'), ('a', 'a')])

    @ROUND
    @given(st.one_of(damaged(model_files(channel_model_path)), graphs()), names)
    def check(data: bytes, class_names: tuple[str, ...]) -> None:
        path.write_bytes(data)
        try:
            model = open_any_model(str(path), ForeignModelSettings(class_names=class_names))
            if max(model.info.input_size) > 2048:
                return
            runtime = open_runtime(model, RuntimeSettings(runtime='onnxruntime', threads=1))
            with Segmenter(runtime) as segmenter:
                segmenter.segment([PICTURE])
        except EspnetError as error:
            assert str(error)

    assert keep_on(check)


LABELS = (Path(__file__).parents[2] / 'espnet_ros/labelsets/camvid.yaml').read_bytes()
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-300, 300),
    st.floats(allow_subnormal=False),
    st.text(max_size=5),
    st.dates(),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
CLASSES = st.lists(
    st.one_of(
        VALUES,
        st.fixed_dictionaries(
            {'name': SCALARS, 'color': st.one_of(VALUES, st.lists(st.integers(-1, 256)))},
            optional={'cost': VALUES, 'flat': VALUES},
        ),
    ),
    max_size=5,
)
SETS = st.fixed_dictionaries(
    {'name': SCALARS, 'classes': st.one_of(CLASSES, VALUES)},
    optional={'void': VALUES, 'groupings': VALUES, 'palette': VALUES},
)


def test_label_files(tmp_path: Path) -> None:
    path = tmp_path / 'labels.yaml'

    @ROUND
    @given(
        st.one_of(
            damaged([LABELS]),
            st.binary(max_size=200),
            st.one_of(SETS, VALUES).map(lambda content: yaml.safe_dump(content).encode()),
        ),
        st.text(max_size=30),
    )
    def check(data: bytes, grouping: str) -> None:
        path.write_bytes(data)
        try:
            label_set = load_label_set(str(path))
            label_set.palette_rgb()
            parse_grouping(grouping, label_set)
        except ConfigError as error:
            assert str(error)

    assert keep_on(check)


def test_bags(tmp_path: Path) -> None:
    pytest.importorskip('rosbags', reason="no rosbags: pip install '.[bag]'")
    from bags import write_bag
    from rosbags.rosbag2 import StoragePlugin

    data = np.zeros((8, 8, 3), np.uint8)
    fields = {'encoding': 'bgr8', 'height': 8, 'width': 8, 'is_bigendian': 0, 'step': 24}
    messages = [('Image', fields | {'data': data.ravel()})] * 3
    folders = {
        storage: write_bag(tmp_path / storage.name, {'/image': messages}, storage=storage)
        for storage in (StoragePlugin.MCAP, StoragePlugin.SQLITE3)
    }
    files = [
        (file, file.read_bytes())
        for folder in folders.values()
        for file in sorted(folder.iterdir())
    ]

    @ROUND
    @given(st.data())
    def check(drawn: Any) -> None:
        file, original = drawn.draw(st.sampled_from(files))
        alone = drawn.draw(st.booleans()) and file.suffix != '.yaml'
        file.write_bytes(drawn.draw(damaged([original])))
        try:
            with open_source(str(file if alone else file.parent)) as source:
                assert len(list(source)) < 100
        except EspnetError as error:
            assert str(error)
        finally:
            file.write_bytes(original)

    assert keep_on(check)
