"""Pictures of matrices of shares: a confusion matrix, classes by conditions."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

CELL = 52
"""Height and width of a cell, pixels."""

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_TEXT_SCALE = 0.45
_MARGIN = 12
_INK = (44, 32, 23)
_PALE = (250, 250, 250)
_FULL_BGR = np.array([181, 99, 11], np.float64)
_EMPTY_BGR = np.array([255, 255, 255], np.float64)
_DARK_FROM = 0.5
_SHOWN_FROM = 0.005


def draw_confusion(
    counts: NDArray[np.int64], names: Sequence[str], title: str
) -> NDArray[np.uint8]:
    """
    Draw where the pixels of each true class went, in percent of the row.

    :param counts: (rows, columns); rows are the truth, columns the prediction
    :param names: of the columns, and of the rows as far as there are rows
    :param title: one line above
    :return: uint8, (H, W, 3), BGR
    """
    rows, columns = counts.shape
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return draw_shares(shares, names[:rows], names[:columns], title)


def draw_shares(
    shares: NDArray[np.float64], row_names: Sequence[str], column_names: Sequence[str], title: str
) -> NDArray[np.uint8]:
    """
    Draw shares, the darker the larger, in percent.

    :param shares: (rows, columns), 0 to 1; NaN where there is none, which stays empty
    :param row_names: one a row
    :param column_names: one a column
    :param title: one line above
    :return: uint8, (H, W, 3), BGR
    """
    rows, columns = shares.shape
    left = max(_text_size(name)[0] for name in row_names) + 2 * _MARGIN
    names_height = max(_text_size(name)[0] for name in column_names)
    top = names_height + 3 * _MARGIN + CELL // 2
    picture = np.full((top + rows * CELL + _MARGIN, left + columns * CELL + _MARGIN, 3), 255)
    picture = np.ascontiguousarray(picture, np.uint8)
    for row in range(rows):
        for column in range(columns):
            corner = top + row * CELL, left + column * CELL
            _draw_cell(picture, corner, float(shares[row, column]))
    _write(picture, title, (_MARGIN, _MARGIN + CELL // 3))
    for row, name in enumerate(row_names):
        width, height = _text_size(name)
        _write(picture, name, (left - _MARGIN - width, top + row * CELL + (CELL + height) // 2))
    for column, name in enumerate(column_names):
        _write_upright(picture, name, top - _MARGIN, left + column * CELL)
    return picture


def _draw_cell(picture: NDArray[np.uint8], corner: tuple[int, int], share: float) -> None:
    top, left = corner
    if np.isnan(share):
        return
    color = _EMPTY_BGR + (_FULL_BGR - _EMPTY_BGR) * np.sqrt(share)
    picture[top : top + CELL - 1, left : left + CELL - 1] = color.astype(np.uint8)
    if share < _SHOWN_FROM:
        return
    text = f'{100 * share:.0f}'
    width, height = _text_size(text)
    place = left + (CELL - width) // 2, top + (CELL + height) // 2
    _write(picture, text, place, _PALE if share > _DARK_FROM else _INK)


def _write_upright(picture: NDArray[np.uint8], text: str, bottom: int, left: int) -> None:
    width, height = _text_size(text)
    label = np.full((2 * height, width + 2, 3), 255, np.uint8)
    _write(label, text, (0, height + height // 2))
    upright = np.rot90(label)
    at = left + (CELL - upright.shape[1]) // 2
    picture[bottom - upright.shape[0] : bottom, at : at + upright.shape[1]] = upright


def _write(
    picture: NDArray[np.uint8],
    text: str,
    place: tuple[int, int],
    color: tuple[int, int, int] = _INK,
) -> None:
    cv2.putText(picture, text, place, _FONT, _TEXT_SCALE, color, 1, cv2.LINE_AA)


def _text_size(text: str) -> tuple[int, int]:
    (width, height), _ = cv2.getTextSize(text, _FONT, _TEXT_SCALE, 1)
    return width, height
