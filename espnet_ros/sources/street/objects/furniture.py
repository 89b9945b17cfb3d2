"""Lamps, signs and trees along the curb."""

from __future__ import annotations

import math

from espnet_ros.sources.street.objects.foliage import crown, CROWNS
from espnet_ros.sources.street.rendering.canvas import Canvas
from espnet_ros.sources.street.town import Thing
import numpy as np

_STEEL_BGR = (104.0, 108.0, 108.0)
_BARK_BGR = (52.0, 66.0, 78.0)
_WHITE_BGR = (226.0, 228.0, 230.0)
_RED_BGR = (44.0, 38.0, 186.0)
_BLUE_BGR = (150.0, 82.0, 30.0)
_PLATE_M = 2.5
"""Height of the middle of a sign."""

Place = tuple[float, float]


def draw_lamp(canvas: Canvas, thing: Thing, place: Place, gain: float) -> None:
    """Draw a street lamp; ``place`` is metres (x, y) in the vehicle's frame."""
    x, y = place
    inwards = -math.copysign(1.0, thing.y_m)
    _post(canvas, place, (0.0, 1.1), 0.09, gain=gain)
    _post(canvas, place, (1.1, thing.height_m), 0.055, gain=gain)
    arm = [(y, 7.35), (y, 7.5), (y + inwards * 1.6, 7.75), (y + inwards * 1.6, 7.65)]
    canvas.polygon(np.array([(x, *p) for p in arm]), _STEEL_BGR, 'pole', gain)
    head = [(1.4, 7.6), (2.2, 7.66), (2.2, 7.78), (1.4, 7.82)]
    points = np.array([(x, y + inwards * across, z) for across, z in head])
    canvas.polygon(points, (168, 172, 172), 'pole', gain)


def draw_sign(canvas: Canvas, thing: Thing, place: Place, gain: float) -> None:
    """Draw a traffic sign on its post; ``place`` is metres (x, y) in the vehicle's frame."""
    _post(canvas, place, (0.0, thing.height_m), 0.04, gain=gain)
    if thing.heading < 0:
        _plate(canvas, place, 0.33, 12, (118, 120, 122), gain=gain)
        return
    kind = thing.variant[0]
    if kind < 0.35:
        _plate(canvas, place, 0.34, 14, _RED_BGR, gain=gain)
        _plate(canvas, place, 0.25, 14, _WHITE_BGR, gain=gain)
        _bar(canvas, place, (2.42, 2.58), 0.12, (40, 40, 40), gain=gain)
    elif kind < 0.6:
        _plate(canvas, place, 0.42, 3, _RED_BGR, gain=gain)
        _plate(canvas, place, 0.26, 3, _WHITE_BGR, gain=gain)
    elif kind < 0.8:
        _plate(canvas, place, 0.34, 14, _BLUE_BGR, gain=gain)
        _bar(canvas, place, (2.32, 2.68), 0.06, _WHITE_BGR, gain=gain)
    else:
        _bar(canvas, place, (2.1, 2.75), 0.3, _BLUE_BGR, gain=gain)
        _bar(canvas, place, (2.2, 2.65), 0.13, _WHITE_BGR, gain=gain)


def draw_tree(canvas: Canvas, thing: Thing, place: Place, gain: float, seed: int) -> None:
    """Draw a street tree; ``place`` is metres (x, y) in the vehicle's frame."""
    x, y = place
    width_m = 3.8 + 2.4 * thing.variant[2]
    trunk = 0.0, thing.height_m + 0.8
    _post(canvas, place, trunk, 0.16, gain=gain, label='tree', color_bgr=_BARK_BGR)
    number = int(thing.variant[0] * CROWNS)
    foot = (x, y, thing.height_m - 0.7)
    canvas.sprite(crown(seed, number), foot, (width_m * 1.05, width_m), 'tree', gain)


def _post(
    canvas: Canvas,
    place: Place,
    z_m: tuple[float, float],
    radius_m: float,
    *,
    gain: float,
    label: str = 'pole',
    color_bgr: tuple[float, float, float] = _STEEL_BGR,
) -> None:
    """Draw an upright cylinder, its left half in the light."""
    x, y = place
    bottom_m, top_m = z_m
    outer = [(y + radius_m, bottom_m), (y - radius_m, bottom_m),
             (y - radius_m, top_m), (y + radius_m, top_m)]  # fmt: skip
    canvas.polygon(np.array([(x, *p) for p in outer]), color_bgr, label, 0.72 * gain)
    if x < 40:
        lit = [(y + radius_m, bottom_m), (y, bottom_m), (y, top_m), (y + radius_m, top_m)]
        canvas.polygon(np.array([(x, *p) for p in lit]), color_bgr, label, 1.1 * gain)


def _plate(
    canvas: Canvas,
    place: Place,
    radius_m: float,
    corners: int,
    color_bgr: tuple[float, float, float],
    *,
    gain: float,
) -> None:
    x, y = place
    angles = np.arange(corners) * (2 * math.pi / corners) + math.pi / 2
    points = np.column_stack(
        [np.full(corners, x), y + radius_m * np.cos(angles), _PLATE_M + radius_m * np.sin(angles)]
    )
    canvas.polygon(points, color_bgr, 'sign', gain)


def _bar(
    canvas: Canvas,
    place: Place,
    z_m: tuple[float, float],
    half_width_m: float,
    color_bgr: tuple[float, float, float],
    *,
    gain: float,
) -> None:
    x, y = place
    left, right = y + half_width_m, y - half_width_m
    points = [(x, left, z_m[0]), (x, right, z_m[0]), (x, right, z_m[1]), (x, left, z_m[1])]
    canvas.polygon(np.array(points), color_bgr, 'sign', gain)
