"""Road markings, and the shadows on the ground."""

from __future__ import annotations

import math

import cv2
from espnet_ros.sources.street.rendering.canvas import Canvas
from espnet_ros.sources.street.rendering.projection import Projection
from espnet_ros.sources.street.scene import (
    Box,
    Cylinder,
    LANE_WIDTH_M,
    STREET_HALF_WIDTH_M,
    VEHICLE_OFFSET_M,
)
from espnet_ros.sources.street.town import Plot
import numpy as np
from numpy.typing import NDArray

DASH_M, DASH_PERIOD_M = 3.0, 8.0
CROSSING_PERIOD_M = 85.0
_PAINT_BGR = (205.0, 210.0, 212.0)
_SHADE = 172
_REACH = (0.35, -0.62)
"""Shadow of one metre of height: metres ahead and metres to the left."""


def draw_markings(canvas: Canvas, position_m: float, visible_m: float) -> None:
    """Draw the dashed middle line, the edges of the lanes and the crossings."""
    middle_m = -VEHICLE_OFFSET_M
    first = math.floor(position_m / DASH_PERIOD_M)
    for index in range(first, first + int(visible_m / DASH_PERIOD_M) + 1):
        start_m = index * DASH_PERIOD_M - position_m
        _stripe(canvas, (start_m, start_m + DASH_M), (middle_m - 0.06, middle_m + 0.06))
    for side in (-1, 1):
        edge_m = middle_m + side * LANE_WIDTH_M
        for start_m, end_m in ((0.5, 12), (12, 30), (30, visible_m)):
            _stripe(canvas, (start_m, end_m), (edge_m - 0.05, edge_m + 0.05))
    first = math.floor(position_m / CROSSING_PERIOD_M)
    for index in range(first, first + int(visible_m / CROSSING_PERIOD_M) + 2):
        start_m = index * CROSSING_PERIOD_M + 60 - position_m
        for left_m in np.arange(-LANE_WIDTH_M + 0.2, LANE_WIDTH_M - 0.3, 1.0):
            across = (middle_m + left_m, middle_m + left_m + 0.5)
            _stripe(canvas, (start_m, start_m + 3.0), across)


def _stripe(canvas: Canvas, ahead_m: tuple[float, float], across_m: tuple[float, float]) -> None:
    if ahead_m[1] <= 0:
        return
    (x0, x1), (y0, y1) = ahead_m, across_m
    corners = np.array([(x0, y0, 0), (x1, y0, 0), (x1, y1, 0), (x0, y1, 0)], float)
    pixels = canvas.projection.polygon(corners)
    if pixels is not None:
        canvas.paint(pixels, _PAINT_BGR, 0.62)


def ground_light(
    projection: Projection,
    first_row: int,
    plots: list[Plot],
    obstacles: list[Box | Cylinder],
    position_m: float,
) -> NDArray[np.uint8]:
    """
    Return how much light falls on the ground that each pixel shows.

    :param first_row: image row from which on the ground is seen
    :return: uint8, (rows below first_row, W), 255 where the sun shines
    """
    camera = projection.camera
    shape = max((camera.height - first_row) // 2, 1), camera.width // 2
    light = np.full(shape, 255, np.uint8)
    for plot in plots:
        if plot.kind == 'building' and plot.side > 0:
            _cast(light, projection, first_row, _building_shadow(plot, position_m), _SHADE)
    for obstacle in obstacles:
        if obstacle.label != 'building' and 0 < obstacle.x_m < 80:
            _cast(light, projection, first_row, _obstacle_shadow(obstacle), _SHADE)
            if isinstance(obstacle, Box) and obstacle.label == 'car':
                _cast(light, projection, first_row, _footing(obstacle), _SHADE // 3)
    soft = cv2.blur(light, (5, 3))
    return np.asarray(cv2.resize(soft, (camera.width, camera.height - first_row)), np.uint8)


def _building_shadow(plot: Plot, position_m: float) -> NDArray[np.float64]:
    start_m, end_m = plot.x_m - position_m, plot.x_m + plot.length_m - position_m
    line_m = STREET_HALF_WIDTH_M - VEHICLE_OFFSET_M
    ahead_m, left_m = _REACH[0] * plot.height_m, _REACH[1] * plot.height_m
    return np.array(
        [(start_m, line_m, 0), (end_m, line_m, 0),
         (end_m + ahead_m, line_m + left_m, 0), (start_m + ahead_m, line_m + left_m, 0)]
    )  # fmt: skip


def _obstacle_shadow(obstacle: Box | Cylinder) -> NDArray[np.float64]:
    if isinstance(obstacle, Box):
        length_m, width_m = obstacle.length_m, obstacle.width_m
    else:
        length_m = width_m = 2 * obstacle.radius_m
    reach = np.array(_REACH) * min(obstacle.height_m, 2.2) * 0.8
    corners = np.array([(-1, 1), (1, 1), (1, -1), (-1, -1)]) * (length_m / 2, width_m / 2)
    corners += (obstacle.x_m, obstacle.y_m)
    both = np.vstack([corners, corners + reach]).astype(np.float32)
    hull = cv2.convexHull(both)[:, 0]
    return np.column_stack([hull, np.zeros(len(hull))])


def _footing(box: Box) -> NDArray[np.float64]:
    """Return where hardly any light of the sky comes in under a box."""
    half = np.array([(-1, 1, 0), (1, 1, 0), (1, -1, 0), (-1, -1, 0)]) * 0.5
    size = (box.length_m + 0.1, box.width_m + 0.15, 0.0)
    return np.asarray(half * size + (box.x_m, box.y_m, 0.0))


def _cast(
    light: NDArray[np.uint8],
    projection: Projection,
    first_row: int,
    corners: NDArray[np.float64],
    value: int,
) -> None:
    pixels = projection.polygon(corners)
    if pixels is None:
        return
    fixed = np.rint((pixels - (0, first_row)) * 8).astype(np.int32)
    cv2.fillConvexPoly(light, fixed, value, cv2.LINE_8, 4)
