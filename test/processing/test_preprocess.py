"""Images are cropped to a region, and resized bilinear."""

from __future__ import annotations

from espnet_ros.exceptions import InputError
from espnet_ros.processing.preprocess import clip_roi, resize_image
import numpy as np
import pytest


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
def test_halving_averages_four_pixels(dtype):
    image = (noise(8, 12, 3) // 4 * 4).astype(dtype)
    half = np.empty((4, 6, 3), dtype)
    resize_image(image, half)
    mean = image.reshape(4, 2, 6, 2, 3).astype(np.float64).mean(axis=(1, 3))
    assert abs(half - mean).max() <= (0.5 if dtype is np.uint8 else 1e-4)


def test_the_result_lies_in_the_array_that_was_given():
    batch = np.zeros((2, 4, 6, 3), np.uint8)
    resize_image(np.full((50, 70, 3), 9, np.uint8), batch[1])
    assert (batch[0] == 0).all()
    assert (batch[1] == 9).all()


def test_an_image_of_the_right_size_is_copied():
    image, target = noise(4, 6, 3), np.zeros((4, 6, 3), np.uint8)
    resize_image(image, target)
    np.testing.assert_array_equal(target, image)
    assert not np.shares_memory(target, image)


def test_float_images_keep_their_fractions():
    image = np.array([[[0.25] * 3, [0.75] * 3]], np.float32)
    target = np.empty((1, 1, 3), np.float32)
    resize_image(image, target)
    assert (target == 0.5).all()


@pytest.mark.parametrize(
    ('roi', 'part'),
    [
        ((0, 0, 0, 0), (0, 0, 200, 100)),
        ((10, 20, 30, 40), (10, 20, 30, 40)),
        ((10, 20, 500, 500), (10, 20, 190, 80)),
        ((199, 99, 1, 1), (199, 99, 1, 1)),
    ],
)
def test_a_region_is_clipped_to_the_image(roi, part):
    assert clip_roi(roi, (100, 200)) == part


def test_a_region_outside_the_image_is_refused():
    with pytest.raises(InputError, match=r'image of 200x100 pixels, found x=200, y=0'):
        clip_roi((200, 0, 5, 5), (100, 200))
