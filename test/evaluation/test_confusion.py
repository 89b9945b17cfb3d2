"""Counting pixels."""

from __future__ import annotations

from espnet_ros.evaluation.metrics import ConfusionMatrix
import numpy as np
import pytest


def test_every_pixel_is_counted_at_its_truth_and_prediction() -> None:
    truth = np.array([[0, 0, 1], [1, 1, 255]], np.uint8)
    predicted = np.array([[0, 1, 1], [1, 255, 0]], np.uint8)
    matrix = ConfusionMatrix(2)
    counts = matrix.add(truth, predicted)
    assert counts.tolist() == [[1, 1, 0], [0, 2, 1], [1, 0, 0]]
    assert np.array_equal(matrix.counts, counts)


def test_images_add_up_and_each_gives_its_own_counts() -> None:
    generator = np.random.default_rng(0)
    matrix = ConfusionMatrix(5)
    total = np.zeros((6, 6), np.int64)
    for _ in range(3):
        truth, predicted = generator.integers(0, 5, (2, 7, 9), np.uint8)
        counts = matrix.add(truth, predicted)
        assert counts.sum() == 63
        for row, column in zip(truth.flat, predicted.flat, strict=True):
            total[row, column] += 1
    assert np.array_equal(matrix.counts, total)


def test_ids_beyond_the_classes_are_unlabelled() -> None:
    matrix = ConfusionMatrix(3)
    matrix.add(np.array([3, 200], np.uint8), np.array([0, 254], np.uint8))
    assert matrix.counts[3].tolist() == [1, 0, 0, 1]


@pytest.mark.parametrize(
    'predicted', [np.zeros((2, 3), np.uint8), np.zeros((2, 2), np.int64)], ids=['shape', 'dtype']
)
def test_maps_that_do_not_match_are_refused(predicted: np.ndarray) -> None:
    with pytest.raises(ValueError, match='two uint8 label maps of one shape'):
        ConfusionMatrix(2).add(np.zeros((2, 2), np.uint8), predicted)


@pytest.mark.parametrize('classes', [0, 256])
def test_impossible_numbers_of_classes_are_refused(classes: int) -> None:
    with pytest.raises(ValueError, match='1 to 255 classes'):
        ConfusionMatrix(classes)


@pytest.mark.parametrize('classes', [1, 255])
def test_the_fewest_and_the_most_classes_are_counted(classes: int) -> None:
    matrix = ConfusionMatrix(classes)
    matrix.add(np.array([0, classes - 1, 255], np.uint8), np.array([0, 255, 0], np.uint8))
    assert matrix.counts.sum() == 3
    assert matrix.counts[classes - 1, classes] == 1
    assert matrix.counts[classes, 0] == 1
