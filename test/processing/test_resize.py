"""Images are resized bilinear, labels by nearest neighbour."""

from __future__ import annotations

from espnet_ros.processing.resize import resize_image, resize_labels
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


@pytest.mark.parametrize('factor', [2, 3, 5])
def test_labels_are_repeated_when_enlarged(factor):
    labels = noise(5, 7)
    expected = labels.repeat(factor, 0).repeat(factor, 1)
    np.testing.assert_array_equal(resize_labels(labels, (5 * factor, 7 * factor)), expected)


@pytest.mark.parametrize('size', [(9, 13), (3, 4), (1, 1), (5, 21)])
def test_every_pixel_takes_the_label_nearest_to_its_centre(size):
    labels = noise(7, 11)
    rows, columns = (
        np.floor((np.arange(new) + 0.5) * old / new).astype(int)
        for new, old in zip(size, labels.shape, strict=True)
    )
    np.testing.assert_array_equal(resize_labels(labels, size), labels[np.ix_(rows, columns)])


def test_labels_of_the_right_size_are_a_copy():
    labels = noise(5, 7)
    same = resize_labels(labels, (5, 7))
    np.testing.assert_array_equal(same, labels)
    assert not np.shares_memory(same, labels)
