"""Runtimes that resize in the graph: any size in, the network's size out, as in float."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
from espnet_ros.config import ForeignModelSettings, MaskSettings, RuntimeSettings
from espnet_ros.exceptions import InputError, RuntimeUnavailableError
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.external import adapt_external
from espnet_ros.runtimes.base import Runtime
from espnet_ros.runtimes.factory import open_runtime, runtime_report
from espnet_ros.runtimes.fake import FakeRuntime
from espnet_ros.segmenter import Segmenter
import numpy as np
import onnx
import pytest

USABLE = [status.name for status in runtime_report() if status.usable]
RUNTIMES = [name for name in ('openvino', 'onnxruntime') if name in USABLE]
DEVICE = RuntimeSettings(precision='fp32', resize='device')


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def brightest(image_bgr: np.ndarray, size: tuple[int, int] = (16, 32)) -> np.ndarray:
    """Return the brightest channel of an image resized in float."""
    height, width = size
    resized = cv2.resize(
        image_bgr.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR
    )
    return resized.argmax(axis=2)


def agree(found: np.ndarray, expected: np.ndarray) -> bool:
    """Return whether labels are equal but for channels that are the same to the last bit."""
    return float(np.mean(found == expected)) >= 0.99


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest, channel_model: ModelFile) -> Iterator[Runtime]:
    """Return each runtime that computes the model, opened to resize."""
    settings = RuntimeSettings(runtime=request.param, precision='fp32', resize='device')
    with open_runtime(channel_model, settings) as opened:
        yield opened


@pytest.mark.parametrize('size', [(16, 32), (32, 64), (9, 7), (100, 37), (1, 1), (480, 640)])
def test_images_of_any_size_give_labels_of_the_networks_size(runtime, size):
    batch = noise(2, *size, 3)
    found = runtime.infer(batch, confidence=True)
    assert found.labels.shape == found.confidence.shape == (2, 16, 32)
    for labels, image in zip(found.labels, batch, strict=True):
        assert agree(labels, brightest(image))


def test_its_input_has_no_size(runtime):
    assert runtime.input_spec.shape == (None, None, None, 3)
    assert runtime.resizes
    with pytest.raises(InputError, match=r'above 0, found \(1, 0, 5, 3\)'):
        runtime.infer(np.zeros((1, 0, 5, 3), np.uint8))


def test_masks_of_images_of_several_sizes_come_in_order(runtime):
    images = [noise(*size, 3, seed=n) for n, size in enumerate([(40, 60), (9, 7), (40, 60)])]
    results = Segmenter(runtime, MaskSettings(mask_size='network')).segment(images)
    for result, image in zip(results, images, strict=True):
        assert agree(result.labels, brightest(image))
    assert len({id(result.stage_times) for result in results}) == 1


def test_images_of_one_size_are_one_batch(channel_model, monkeypatch):
    runtime = open_runtime(
        channel_model, RuntimeSettings(runtime=RUNTIMES[0], precision='fp32', resize='device')
    )
    shapes = []
    infer = runtime._infer
    monkeypatch.setattr(
        runtime, '_infer', lambda batch, sure: shapes.append(batch.shape) or infer(batch, sure)
    )
    with Segmenter(runtime) as segmenter:
        segmenter.segment([noise(*size, 3) for size in [(40, 60), (9, 7), (40, 60), (9, 7)]])
    assert shapes == [(2, 40, 60, 3), (2, 9, 7, 3)]


def test_a_region_is_resized_alone(runtime):
    image = noise(80, 120, 3)
    segmenter = Segmenter(runtime, MaskSettings(roi=(10, 20, 64, 48), mask_size='80,120'))
    labels = segmenter.segment([image])[0].labels
    small = brightest(image[20:68, 10:74]).astype(np.uint8)
    expected = cv2.resize(small, (64, 48), interpolation=cv2.INTER_NEAREST_EXACT)
    assert agree(labels[20:68, 10:74], expected)
    outside = np.ones((80, 120), bool)
    outside[20:68, 10:74] = False
    assert (labels[outside] == 255).all()


def test_the_image_is_neither_changed_nor_kept(runtime):
    segmenter = Segmenter(runtime, MaskSettings(mask_size='network'))
    image = noise(40, 60, 3)
    image.flags.writeable = False
    before = image.copy()
    first = segmenter.segment([image])[0].labels
    kept = first.copy()
    segmenter.segment([255 - image])
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(image, before)


def test_warming_up_needs_no_image(runtime):
    Segmenter(runtime).warm_up(2)


@pytest.mark.parametrize('name', RUNTIMES)
def test_a_float_model_gives_the_same(channel_model, name):
    image = noise(40, 60, 3)
    settings = RuntimeSettings(runtime=name, precision='fp32', resize='device')
    labels = []
    for model in (channel_model, channel_model.with_float_image()):
        with Segmenter(open_runtime(model, settings)) as segmenter:
            labels.append(segmenter.segment([image])[0].labels)
    np.testing.assert_array_equal(*labels)


@pytest.mark.parametrize('name', RUNTIMES)
@pytest.mark.parametrize('shape', [[1, 3, 16, 32], ['N', 3, 'H', 'W']])
def test_networks_of_another_origin_get_resized_images(tmp_path, name, shape):
    """Their logits have half the size of their image, and are enlarged in the graph."""
    image = onnx.helper.make_tensor_value_info('x', onnx.TensorProto.FLOAT, shape)
    logits = onnx.helper.make_tensor_value_info('y', onnx.TensorProto.FLOAT, ['a', 3, 'b', 'c'])
    pool = onnx.helper.make_node('AveragePool', ['x'], ['y'], kernel_shape=[2, 2], strides=[2, 2])
    graph = onnx.helper.make_graph([pool], 'elsewhere', [image], [logits])
    imports = [onnx.helper.make_opsetid('', 17)]
    path = tmp_path / 'net.onnx'
    onnx.save(onnx.helper.make_model(graph, opset_imports=imports, ir_version=8), path)
    settings = ForeignModelSettings(channel_order='bgr', class_names=('blue', 'green', 'red'))
    model = adapt_external(path, settings)
    height, width = model.info.input_size
    picture = noise(height * 2, width * 2, 3)
    labels = []
    for resize in ('host', 'device'):
        chosen = RuntimeSettings(runtime=name, precision='fp32', resize=resize)
        with Segmenter(open_runtime(model, chosen), MaskSettings(mask_size='network')) as opened:
            labels.append(opened.segment([picture])[0].labels)
    assert labels[0].shape == labels[1].shape == (height, width)
    assert np.mean(labels[0] == labels[1]) > 0.95


def test_the_stand_in_refuses_to_resize(channel_model):
    with pytest.raises(RuntimeUnavailableError, match='fake: cannot resize'):
        FakeRuntime(channel_model, DEVICE).open()
