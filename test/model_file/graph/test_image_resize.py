"""A graph that resizes gives what its network gives of images resized in float by OpenCV."""

from __future__ import annotations

from functools import partial

import cv2
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.graph.image_resize import resize_in_graph
from espnet_ros.model_file.graph.subpixel_head import use_subpixel_head
import numpy as np
import onnx
import pytest

from .test_subpixel_head import make_model, run


def with_image_resize(model: ModelFile) -> ModelFile:
    return model.rewritten(partial(resize_in_graph, size=model.info.input_size))


SIZES = [(32, 48), (16, 24), (8, 12), (37, 101), (1, 1), (5, 300), (64, 24), (48, 72)]


def resized(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    height, width = size
    return np.stack(
        [
            cv2.resize(image.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
            for image in images
        ]
    )


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('count', [1, 3])
def test_labels_are_those_of_an_image_resized_in_float(count: int, size: tuple[int, int]) -> None:
    model = make_model()
    images = noise(count, *size, 3)
    expected, sure = run(model.with_float_image(), resized(images, model.info.input_size))
    found, confidence = run(with_image_resize(model), images)
    assert found.shape == expected.shape
    assert np.mean(found == expected) >= 0.999
    np.testing.assert_allclose(confidence.astype(int), sure.astype(int), atol=1)


def test_it_goes_together_with_the_cheap_head_in_any_order() -> None:
    model = make_model()
    images = noise(2, 40, 60, 3)
    expected, _ = run(with_image_resize(model), images)
    for rewritten in (
        with_image_resize(model).rewritten(use_subpixel_head),
        with_image_resize(model.rewritten(use_subpixel_head)),
    ):
        assert rewritten is not model
        np.testing.assert_array_equal(run(rewritten, images)[0], expected)


def test_it_takes_float_images_too() -> None:
    model = make_model()
    images = noise(1, 40, 60, 3)
    expected, _ = run(with_image_resize(model), images)
    found, _ = run(with_image_resize(model.with_float_image()), images.astype(np.float32))
    np.testing.assert_array_equal(found, expected)


def test_result_is_a_valid_graph_that_declares_its_sizes() -> None:
    model = make_model()
    proto = with_image_resize(model).proto
    onnx.checker.check_model(proto, full_check=True)
    dims = proto.graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_value or dim.dim_param for dim in dims] == [
        'N',
        'image_height',
        'image_width',
        3,
    ]
    for output in proto.graph.output:
        sizes = [dim.dim_value for dim in output.type.tensor_type.shape.dim[1:]]
        assert sizes == list(model.info.input_size)


def test_a_network_of_one_size_takes_images_of_any() -> None:
    model = make_model()
    proto = onnx.load_model_from_string(model.data)
    for value in (*proto.graph.input, *proto.graph.output):
        for dim, size in zip(
            value.type.tensor_type.shape.dim[1:3], model.info.input_size, strict=True
        ):
            dim.dim_value = size
    fixed = ModelFile.create(model.info, proto)
    images = noise(1, 50, 70, 3)
    expected, _ = run(with_image_resize(model), images)
    np.testing.assert_array_equal(run(with_image_resize(fixed), images)[0], expected)


def test_metadata_and_identity_stay() -> None:
    model = make_model()
    rewritten = with_image_resize(model)
    assert {p.key: p.value for p in rewritten.proto.metadata_props} == model.info.to_metadata()
    assert (rewritten.info, rewritten.sha256) == (model.info, model.sha256)
