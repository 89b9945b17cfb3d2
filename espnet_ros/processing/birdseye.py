"""The ground from above: a camera's picture laid flat, with lines, points and paths on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
from espnet_ros.processing.overlay import blend_overlay
import numpy as np
from numpy.typing import NDArray

_UNSEEN_BGR = (40, 40, 40)
_LINE_BGR = (120, 120, 120)
_TEXT_BGR = (230, 230, 230)
_LINES_EVERY_M = 5.0
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_SHIFT = 4
_RADIUS = 2


@dataclass(frozen=True)
class BirdseyeFrame:
    """
    What part of the ground a picture from above shows; ahead is up and left is left.

    :param x_m: (from, to), metres ahead
    :param y_m: (from, to), metres to the left
    :param height: rows of the picture
    """

    x_m: tuple[float, float]
    y_m: tuple[float, float]
    height: int

    @property
    def scale(self) -> float:
        """Return the pixels of a metre."""
        return self.height / (self.x_m[1] - self.x_m[0])

    @property
    def width(self) -> int:
        return max(1, round((self.y_m[1] - self.y_m[0]) * self.scale))

    @property
    def places(self) -> NDArray[np.float64]:
        """Return (height, width, 2), x and y in metres of every pixel's middle."""
        x = self.x_m[1] - (np.arange(self.height) + 0.5) / self.scale
        y = self.y_m[1] - (np.arange(self.width) + 0.5) / self.scale
        return np.stack(np.meshgrid(x, y, indexing='ij'), axis=-1)

    def pixels(self, points_m: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return columns and rows (N, 2) of places (N, 2)."""
        columns = (self.y_m[1] - points_m[:, 1]) * self.scale - 0.5
        rows = (self.x_m[1] - points_m[:, 0]) * self.scale - 0.5
        return np.stack([columns, rows], axis=-1)


def lay_flat(
    image_bgr: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    looks_at: NDArray[np.float32],
    palette_bgr: NDArray[np.uint8],
    alpha: float,
) -> NDArray[np.uint8]:
    """
    Return the image and its classes as seen from above.

    :param image_bgr: uint8, (H, W, 3)
    :param labels: uint8, (H, W), class ids
    :param looks_at: float32, (h, w, 2), column and row of the image in which each place
        appears; NaN where it does not
    :param palette_bgr: uint8, (256, 3)
    :return: uint8, (h, w, 3); dark where nothing is seen
    """
    height, width = labels.shape
    with np.errstate(invalid='ignore'):
        unseen = ~(
            (looks_at[..., 0] >= -0.5)
            & (looks_at[..., 0] < width - 0.5)
            & (looks_at[..., 1] >= -0.5)
            & (looks_at[..., 1] < height - 0.5)
        )
    columns, rows = np.nan_to_num(looks_at[..., 0]), np.nan_to_num(looks_at[..., 1])
    flat, flat_labels = (
        np.asarray(
            cv2.remap(values, columns, rows, method, borderMode=cv2.BORDER_REPLICATE), np.uint8
        )
        for values, method in ((image_bgr, cv2.INTER_LINEAR), (labels, cv2.INTER_NEAREST))
    )
    panel = blend_overlay(flat, flat_labels, palette_bgr, alpha)
    panel[unseen] = _UNSEEN_BGR
    return panel


def shade(panel: NDArray[np.uint8], where: NDArray[np.bool_], share: float) -> None:
    """
    Darken a part of a picture, as what is hidden behind something.

    :param panel: uint8, (h, w, 3), drawn into
    :param where: bool, (h, w)
    :param share: how much of the brightness is taken, 0 to 1
    """
    panel[where] = (panel[where] * (1 - share)).astype(np.uint8)


def draw_distances(panel: NDArray[np.uint8], frame: BirdseyeFrame) -> None:
    """Draw a line with its distance every five metres."""
    size = max(0.35, min(1.0, frame.height / 1000))
    first = int(np.ceil(frame.x_m[0] / _LINES_EVERY_M))
    for step in range(max(1, first), int(frame.x_m[1] / _LINES_EVERY_M) + 1):
        distance_m = step * _LINES_EVERY_M
        row = int(frame.pixels(np.array([[distance_m, 0.0]]))[0, 1])
        cv2.line(panel, (0, row), (frame.width, row), _LINE_BGR, 1)
        place = (4, row + round(26 * size))
        text = f'{distance_m:g} m'
        cv2.putText(panel, text, place, _FONT, size, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.putText(panel, text, place, _FONT, size, _TEXT_BGR, 1, cv2.LINE_AA)


def draw_points(
    image_bgr: NDArray[np.uint8],
    pixels: NDArray[np.floating],
    color_bgr: Iterable[int],
) -> None:
    """
    Draw points.

    :param pixels: (N, 2), columns and rows; NaN is left out
    """
    color = tuple(int(value) for value in color_bgr)
    height, width = image_bgr.shape[:2]
    for column, row in pixels[np.isfinite(pixels).all(axis=1)].tolist():
        if -_RADIUS <= column < width + _RADIUS and -_RADIUS <= row < height + _RADIUS:
            cv2.circle(image_bgr, (round(column), round(row)), _RADIUS, color, cv2.FILLED)


def draw_path(
    image_bgr: NDArray[np.uint8],
    pixels: NDArray[np.floating],
    color_bgr: Iterable[int],
    thickness: int = 3,
) -> None:
    """
    Draw a way as a line with a dark rim.

    :param pixels: (N, 2), columns and rows; points at NaN or far outside are left out
    """
    height, width = image_bgr.shape[:2]
    reach = 4 * max(height, width)
    kept = pixels[np.isfinite(pixels).all(axis=1)]
    kept = kept[(np.abs(kept) < reach).all(axis=1)]
    if len(kept) < 2:
        return
    corners = [np.rint(kept * (1 << _SHIFT)).astype(np.int32)]
    color = tuple(int(value) for value in color_bgr)
    cv2.polylines(image_bgr, corners, False, (0, 0, 0), thickness + 2, cv2.LINE_AA, _SHIFT)
    cv2.polylines(image_bgr, corners, False, color, thickness, cv2.LINE_AA, _SHIFT)


def beside(left_bgr: NDArray[np.uint8], right_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return two pictures of one height side by side; the width is made even for videos."""
    both = np.concatenate([left_bgr, right_bgr], axis=1)
    return both[:, : both.shape[1] // 2 * 2]
