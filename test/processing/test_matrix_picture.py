"""The picture of a confusion matrix."""

from __future__ import annotations

from espnet_ros.processing.matrix_picture import CELL, draw_confusion
import numpy as np


def middle_colors(picture: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Return the colour just inside the corner of every cell, from the lower right."""
    bottom, right = (size - 12 for size in picture.shape[:2])
    return np.array(
        [
            [
                picture[bottom - (rows - row) * CELL + 3, right - (columns - column) * CELL + 3]
                for column in range(columns)
            ]
            for row in range(rows)
        ]
    )


def test_the_fuller_a_cell_the_darker_it_is() -> None:
    counts = np.array([[90, 10, 0], [0, 50, 50]], np.int64)
    colors = middle_colors(draw_confusion(counts, ('road', 'car', 'none'), 'title'), 2, 3)
    brightness = colors.sum(axis=2)
    assert brightness[0, 0] < brightness[1, 1] == brightness[1, 2] < brightness[0, 1]
    assert (colors[0, 2] == 255).all()


def test_a_class_that_never_occurs_leaves_an_empty_row() -> None:
    counts = np.array([[0, 0], [0, 7]], np.int64)
    picture = draw_confusion(counts, ('a', 'b'), 'title')
    colors = middle_colors(picture, 2, 2)
    assert (colors[0] == 255).all()
    assert picture.dtype == np.uint8


def test_long_names_have_room() -> None:
    counts = np.eye(2, dtype=np.int64)
    short = draw_confusion(counts, ('a', 'b'), 'title')
    long = draw_confusion(counts, ('a', 'traffic light of another town'), 'title')
    assert long.shape[0] > short.shape[0]
    assert long.shape[1] > short.shape[1]
