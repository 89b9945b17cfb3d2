"""Label maps in colour: alone, over their image, reduced, and with a legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
from espnet_ros.processing.postprocess import resize_labels
import numpy as np
from numpy.typing import NDArray

Color = Sequence[int]

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_REFERENCE_HEIGHT = 720
_PANEL_OPACITY = 0.65
_SMALLEST_SCALE = 0.5
_LARGEST_SCALE = 3.0
_WHITE = (255, 255, 255)


def color_mask(labels: NDArray[np.uint8], palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """
    Paint every pixel in the colour of its class.

    :param labels: uint8, (H, W), class ids
    :param palette: uint8, (256, 3), colour of every id
    :return: uint8, (H, W, 3), in the palette's channel order
    """
    if labels.size == 0:
        return np.zeros((*labels.shape, 3), np.uint8)
    colors = np.ascontiguousarray(palette).reshape(256, 1, 3)
    return np.asarray(cv2.applyColorMap(np.ascontiguousarray(labels), colors), np.uint8)


def blend_overlay(
    image: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    palette: NDArray[np.uint8],
    alpha: float,
) -> NDArray[np.uint8]:
    """
    Lay the class colours over an image.

    Every value is ``(1 - alpha) * image + alpha * colour``, rounded to the nearest integer.

    :param image: uint8, (H, W, 3); not changed
    :param labels: uint8, class ids; brought to the image's size by nearest neighbour where
        it differs
    :param palette: uint8, (256, 3), in the image's channel order
    :param alpha: opacity of the colours, 0 to 1
    :return: uint8, (H, W, 3), an array of the caller's own
    """
    if labels.shape != image.shape[:2]:
        labels = resize_labels(labels, (image.shape[0], image.shape[1]))
    painted = color_mask(labels, palette)
    cv2.addWeighted(image, 1 - alpha, painted, alpha, 0, dst=painted)
    return painted


def reduce_image(image: NDArray[np.uint8], max_width: int) -> NDArray[np.uint8]:
    """
    Return an image as wide as is allowed, averaged over the pixels that become one.

    :param image: uint8, (H, W, 3)
    :param max_width: pixels; 0 is no limit
    :return: the image itself where it is no wider
    """
    size = _reduced_size(image.shape[:2], max_width)
    if size == image.shape[:2]:
        return image
    reduced = cv2.resize(image, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(reduced, np.uint8)


def reduce_labels(labels: NDArray[np.uint8], max_width: int) -> NDArray[np.uint8]:
    """
    Return a label map as wide as is allowed, by nearest neighbour.

    :param labels: uint8, (H, W)
    :param max_width: pixels; 0 is no limit
    :return: the map itself where it is no wider
    """
    size = _reduced_size(labels.shape, max_width)
    return labels if size == labels.shape else resize_labels(labels, size)


def _reduced_size(size: tuple[int, ...], max_width: int) -> tuple[int, int]:
    height, width = size[:2]
    if not max_width or width <= max_width:
        return height, width
    return max(1, round(height * max_width / width)), max_width


def draw_legend(image: NDArray[np.uint8], entries: Sequence[tuple[str, Color]]) -> None:
    """
    Write names and colours into the upper left corner, on a darkened panel.

    Text and swatches grow with the image; long legends get several columns, and columns
    that do not fit are left out.

    :param image: uint8, (H, W, 3), drawn into
    :param entries: (name, colour in the image's channel order) of each class
    """
    style = _LegendStyle.for_height(image.shape[0])
    rows = (image.shape[0] - 4 * style.margin) // style.line
    if rows < 1:
        return
    left = style.margin
    for start in range(0, len(entries), rows):
        column = entries[start : start + rows]
        width = style.column_width(column)
        if left + width + style.margin > image.shape[1]:
            return
        height = len(column) * style.line + 2 * style.margin
        panel = image[style.margin : style.margin + height, left : left + width]
        _draw_column(panel, column, style)
        left += width


@dataclass(frozen=True)
class _LegendStyle:
    """Sizes of a legend in pixels, which follow the height of the image."""

    scale: float

    @classmethod
    def for_height(cls, height: int) -> _LegendStyle:
        return cls(min(max(height / _REFERENCE_HEIGHT, _SMALLEST_SCALE), _LARGEST_SCALE))

    @property
    def margin(self) -> int:
        return round(8 * self.scale)

    @property
    def line(self) -> int:
        return round(26 * self.scale)

    @property
    def swatch(self) -> int:
        return round(16 * self.scale)

    @property
    def thickness(self) -> int:
        return max(1, round(self.scale))

    @property
    def font_scale(self) -> float:
        return 0.6 * self.scale

    def column_width(self, column: Sequence[tuple[str, Color]]) -> int:
        widths = [
            cv2.getTextSize(name, _FONT, self.font_scale, self.thickness)[0][0]
            for name, _ in column
        ]
        return self.swatch + max(widths) + 3 * self.margin


def _draw_column(
    panel: NDArray[np.uint8], column: Sequence[tuple[str, Color]], style: _LegendStyle
) -> None:
    """Draw entries below each other into a part of an image."""
    np.copyto(panel, cv2.convertScaleAbs(panel, alpha=1 - _PANEL_OPACITY), casting='unsafe')
    left, right = style.margin, style.margin + style.swatch
    for row, (name, color) in enumerate(column):
        top = style.margin + row * style.line + (style.line - style.swatch) // 2
        bottom = top + style.swatch
        ink = [int(value) for value in color]
        cv2.rectangle(panel, (left, top), (right, bottom), ink, cv2.FILLED)
        cv2.rectangle(panel, (left, top), (right, bottom), _WHITE, 1, cv2.LINE_AA)
        cv2.putText(
            panel,
            name,
            (right + style.margin, bottom - round(2 * style.scale)),
            _FONT,
            style.font_scale,
            _WHITE,
            style.thickness,
            cv2.LINE_AA,
        )
