"""From the label map of a network to the mask that was asked for."""

from __future__ import annotations

from espnet_ros.processing.postprocess import (
    apply_confidence_threshold,
    paste_into_roi,
    remap_ids,
    resize_labels,
    scale_rectangle,
    threshold_byte,
)
from espnet_ros.processing.preprocess import Rectangle
import numpy as np
import pytest

LABELS = np.random.default_rng(0).integers(0, 256, (5, 7), np.uint8)


@pytest.mark.parametrize(
    ('part', 'mask_size', 'scaled'),
    [
        ((0, 0, 200, 100), (50, 50), (0, 0, 50, 50)),
        ((100, 50, 100, 50), (10, 20), (10, 5, 10, 5)),
        ((199, 99, 1, 1), (3, 3), (2, 2, 1, 1)),
        ((20, 20, 1, 1), (2, 2), (0, 0, 1, 1)),
    ],
)
def test_a_part_is_scaled_to_the_mask_and_never_vanishes(part, mask_size, scaled):
    assert scale_rectangle(Rectangle(*part), (100, 200), mask_size) == scaled


def test_neighbouring_parts_neither_overlap_nor_leave_a_gap():
    for size in range(1, 40):
        left = scale_rectangle(Rectangle(0, 0, 7, 1), (1, 40), (1, size))
        right = scale_rectangle(Rectangle(7, 0, 33, 1), (1, 40), (1, size))
        assert right.x + right.width == size
        assert left.x + left.width == right.x or left.width == 1


def test_a_table_replaces_ids():
    table = np.arange(256, dtype=np.uint8)[::-1].copy()
    labels = np.array([[0, 1], [254, 255]], np.uint8)
    np.testing.assert_array_equal(remap_ids(labels, table), [[255, 254], [1, 0]])


@pytest.mark.parametrize(
    ('threshold', 'lowest'), [(0.0, 0), (0.5, 128), (0.2, 51), (1.0, 255), (1e-9, 1)]
)
def test_a_threshold_is_the_lowest_byte_that_is_not_below_it(threshold, lowest):
    assert threshold_byte(threshold) == lowest
    assert lowest / 255 >= threshold
    assert lowest == 0 or (lowest - 1) / 255 < threshold


def test_unsure_pixels_are_dropped_in_a_copy():
    labels = np.array([[1, 2, 3]], np.uint8)
    confidence = np.array([[127, 128, 255]], np.uint8)
    np.testing.assert_array_equal(
        apply_confidence_threshold(labels, confidence, 0.5, 99), [[99, 2, 3]]
    )
    np.testing.assert_array_equal(labels, [[1, 2, 3]])


def test_a_map_is_placed_in_its_part_of_the_mask():
    mask = paste_into_roi(np.array([[1, 2]], np.uint8), (3, 5), Rectangle(1, 1, 4, 1), 9)
    np.testing.assert_array_equal(mask, [[9] * 5, [9, 1, 1, 2, 2], [9] * 5])


@pytest.mark.parametrize('factor', [2, 3, 5])
def test_labels_are_repeated_when_enlarged(factor):
    labels = LABELS
    expected = labels.repeat(factor, 0).repeat(factor, 1)
    np.testing.assert_array_equal(resize_labels(labels, (5 * factor, 7 * factor)), expected)


@pytest.mark.parametrize('size', [(9, 13), (3, 4), (1, 1), (5, 21)])
def test_every_pixel_takes_the_label_nearest_to_its_centre(size):
    labels = np.random.default_rng(0).integers(0, 256, (7, 11), np.uint8)
    rows, columns = (
        np.floor((np.arange(new) + 0.5) * old / new).astype(int)
        for new, old in zip(size, labels.shape, strict=True)
    )
    np.testing.assert_array_equal(resize_labels(labels, size), labels[np.ix_(rows, columns)])


def test_labels_of_the_right_size_are_a_copy():
    labels = LABELS
    same = resize_labels(labels, (5, 7))
    np.testing.assert_array_equal(same, labels)
    assert not np.shares_memory(same, labels)
