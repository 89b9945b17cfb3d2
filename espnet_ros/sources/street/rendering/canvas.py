"""
Image and label map that are drawn together.

Each shape is filled into both with the same fixed-point corners or the same mask, so the label
of a pixel is that of what the pixel shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
from espnet_ros.labels import LabelSet
from espnet_ros.sources.street.rendering.projection import NEAR_M, Projection
from espnet_ros.sources.street.rendering.textures import Ripmap, Sprite
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cv2.typing import MatLike

HAZE_BGR = np.array((214.0, 206.0, 198.0))
_HAZE_LENGTH_M = 230.0
_SHIFT = 4

NEAR_SPRITE_M = 0.8
"""A flat picture nearer than this would show that it is flat."""

Color = Sequence[float]
Bounds = tuple[int, int, int, int]


def haze_at(distance_m: float) -> float:
    """Return the share of haze in the colour of something at a distance, 0..1."""
    return float(1 - np.exp(-max(distance_m, 0.0) / _HAZE_LENGTH_M))


class Canvas:
    """What is drawn in one frame, back to front."""

    def __init__(self, projection: Projection, label_set: LabelSet) -> None:
        camera = projection.camera
        self.projection = projection
        self.image_bgr = np.zeros((camera.height, camera.width, 3), np.uint8)
        self.labels = np.zeros((camera.height, camera.width), np.uint8)
        self._ids = {name: index for index, name in enumerate(label_set.names)}

    def polygon(
        self, points: NDArray[np.float64], color_bgr: Color, label: str, gain: float = 1.0
    ) -> None:
        """
        Fill a flat convex polygon.

        :param points: corners (N, 3), vehicle's frame
        :param color_bgr: 0..255, without haze
        :param gain: brightness
        """
        pixels = self.projection.polygon(points)
        if pixels is not None:
            haze = haze_at(float(points[0, 0]))
            color = np.asarray(color_bgr) * (gain * (1 - haze)) + HAZE_BGR * haze
            self._fill(_fixed(pixels), color.tolist(), self._ids[label])

    def faces(
        self,
        points: NDArray[np.float64],
        slices: Sequence[slice],
        colors_bgr: NDArray[np.float64],
        label: str,
    ) -> None:
        """
        Fill many flat convex polygons of one body.

        :param points: corners of all, (N, 3), vehicle's frame
        :param slices: which corners each polygon has, in the order to be filled
        :param colors_bgr: (len(slices), 3), 0..255, without haze
        """
        haze = haze_at(float(points[0, 0]))
        colors = (colors_bgr * (1 - haze) + HAZE_BGR * haze).tolist()
        optical = self.projection.to_optical(points)
        label_id = self._ids[label]
        if optical[:, 2].min() >= NEAR_M:
            corners = _fixed(self.projection.pixels(optical))
            for part, color in zip(slices, colors, strict=True):
                self._fill(corners[part], color, label_id)
            return
        for part, color in zip(slices, colors, strict=True):
            pixels = self.projection.polygon(points[part])
            if pixels is not None:
                self._fill(_fixed(pixels), color, label_id)

    def _fill(self, corners: NDArray[np.int32], color: list[float], label_id: int) -> None:
        cv2.fillConvexPoly(self.image_bgr, corners, color, cv2.LINE_8, _SHIFT)
        cv2.fillConvexPoly(self.labels, corners, label_id, cv2.LINE_8, _SHIFT)

    def paint(self, pixels: NDArray[np.float64], color_bgr: Color, opacity: float) -> None:
        """Paint a convex polygon (N, 2) on what is there; its label stays."""
        bounds = self._bounds(pixels)
        if bounds is None:
            return
        x0, y0, x1, y1 = bounds
        part = self.image_bgr[y0:y1, x0:x1]
        painted = part.copy()
        corners = _fixed(pixels - (x0, y0))
        cv2.fillConvexPoly(painted, corners, list(color_bgr), cv2.LINE_AA, _SHIFT)
        cv2.addWeighted(painted, opacity, part, 1 - opacity, 0, dst=part)

    def wall(
        self,
        texture: Ripmap,
        corners: tuple[float, float, float, float],
        y_m: float,
        label: str,
        gain: float = 1.0,
    ) -> None:
        """
        Draw a textured upright wall along the street.

        :param corners: metres (x of its start, x of its end, bottom, top)
        :param y_m: left of the vehicle
        """
        start, end, bottom, top = corners
        points = np.array(
            [[start, y_m, bottom], [end, y_m, bottom], [end, y_m, top], [start, y_m, top]]
        )
        pixels = self.projection.polygon(points)
        bounds = None if pixels is None else self._bounds(pixels)
        if pixels is None or bounds is None:
            return
        x0, y0, x1, y1 = bounds
        tile = texture.reduced(np.ptp(pixels[:, 0]), np.ptp(pixels[:, 1]))
        rows, columns = tile.shape[:2]
        to_metres = np.array(
            [
                [(end - start) / columns, 0, start + 0.5 * (end - start) / columns],
                [0, (bottom - top) / rows, top + 0.5 * (bottom - top) / rows],
                [0, 0, 1],
            ]
        )
        shift = np.array([[1, 0, -x0], [0, 1, -y0], [0, 0, 1]], float)
        matrix = shift @ self.projection.plane(y_m) @ to_metres
        shown = cv2.warpPerspective(
            tile, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        cv2.fillConvexPoly(mask, _fixed(pixels - (x0, y0)), 255, cv2.LINE_8, _SHIFT)
        haze = haze_at((max(start, 0) + end) / 2)
        self._blend(shown, mask, bounds, label, haze=haze, gain=gain)

    def sprite(
        self,
        sprite: Sprite,
        foot: tuple[float, float, float],
        size_m: tuple[float, float],
        label: str,
        gain: float = 1.0,
    ) -> None:
        """
        Draw a picture that always faces the camera.

        :param foot: middle of its lower edge, metres, vehicle's frame
        :param size_m: (height, width)
        """
        height_m, width_m = size_m
        x, y, z = foot
        optical = self.projection.to_optical(np.array([foot, (x, y, z + height_m)]))
        if optical[:, 2].min() < NEAR_SPRITE_M:
            return
        (u0, v0), (u1, v1) = self.projection.pixels(optical)
        half = self.projection.camera.fx * width_m / 2 / float(optical[:, 2].mean())
        box = np.array([[u0 - half, v0], [u0 + half, v0], [u1 + half, v1], [u1 - half, v1]])
        bounds = self._bounds(box)
        if bounds is None or v0 - v1 < 2:
            return
        left, upper, right, lower = bounds
        tile = sprite.reduced(v0 - v1)
        rows, columns = tile.shape[:2]
        scale_u, scale_v = 2 * half / columns, (v0 - v1) / rows
        matrix = np.array(
            [
                [scale_u, 0, u1 - half + 0.5 * scale_u - left],
                [0, scale_v, v1 + 0.5 * scale_v - upper],
            ]
        )
        shown = cv2.warpAffine(tile, matrix, (right - left, lower - upper))
        mask = (shown[:, :, 3] > 127).astype(np.uint8)
        self._blend(shown[:, :, :3], mask, bounds, label, haze=haze_at(x), gain=gain)

    def _blend(
        self,
        shown_bgr: MatLike,
        mask: MatLike,
        bounds: Bounds,
        label: str,
        *,
        haze: float,
        gain: float,
    ) -> None:
        x0, y0, x1, y1 = bounds
        scale = gain * (1 - haze)
        hazy = cv2.convertScaleAbs(shown_bgr, alpha=scale)
        hazy = cv2.add(hazy, np.array((*HAZE_BGR * haze, 0.0)))
        cv2.copyTo(hazy, mask, self.image_bgr[y0:y1, x0:x1])
        self.labels[y0:y1, x0:x1][mask != 0] = self._ids[label]

    def _bounds(self, pixels: NDArray[np.float64]) -> Bounds | None:
        """Return the part of the image (left, upper, right, lower) that holds all pixels."""
        height, width = self.labels.shape
        left, upper = np.floor(pixels.min(axis=0)).astype(int)
        right, lower = np.ceil(pixels.max(axis=0)).astype(int) + 1
        if right <= 0 or lower <= 0 or left >= width or upper >= height:
            return None
        return max(left, 0), max(upper, 0), min(right, width), min(lower, height)


def _fixed(pixels: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return pixels as the fixed-point numbers that OpenCV fills polygons from."""
    return np.rint(pixels * (1 << _SHIFT)).astype(np.int32)
