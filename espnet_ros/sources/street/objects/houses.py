"""Buildings and parks along the street."""

from __future__ import annotations

from espnet_ros.sources.street.objects.facades import facade, fence, wall_color
from espnet_ros.sources.street.objects.foliage import crown, CROWNS, hedge
from espnet_ros.sources.street.rendering.canvas import Canvas
from espnet_ros.sources.street.scene import STREET_HALF_WIDTH_M
from espnet_ros.sources.street.town import BUILDING_DEPTH_M, Plot
import numpy as np

_ROOFS_BGR = ((66, 64, 68), (52, 66, 104), (78, 80, 84))
_HEDGE_M = 7.0


def draw_building(canvas: Canvas, plot: Plot, x_m: float, y_m: float) -> None:
    """
    Draw a building: roof, the wall that faces the camera, front.

    :param x_m: where it begins ahead of the vehicle
    :param y_m: the building line, left of the vehicle
    """
    gain = _gain(plot.side)
    end_m, top_m = x_m + plot.length_m, plot.height_m
    back_m = y_m + plot.side * BUILDING_DEPTH_M
    if plot.variant[2] < 0.55:
        _roof(canvas, plot, (x_m, y_m), gain)
    if x_m > 0:
        _quad(canvas, [(x_m, y_m, 0), (x_m, back_m, 0), (x_m, back_m, top_m), (x_m, y_m, top_m)],
              wall_color(plot), 0.7)  # fmt: skip
    canvas.wall(facade(plot), (x_m, end_m, 0.0, top_m), y_m, 'building', gain)


def _roof(canvas: Canvas, plot: Plot, place: tuple[float, float], gain: float) -> None:
    """Draw a roof whose ridge lies along the street: the gable, then the slope in front."""
    (x_m, y_m), top_m = place, plot.height_m
    end_m, rise_m = x_m + plot.length_m, 1.6 + plot.variant[3]
    ridge_m = y_m + plot.side * BUILDING_DEPTH_M / 2
    back_m = y_m + plot.side * BUILDING_DEPTH_M
    color = _ROOFS_BGR[int(plot.variant[3] * len(_ROOFS_BGR))]
    _quad(canvas, [(x_m, y_m, top_m), (x_m, back_m, top_m), (x_m, ridge_m, top_m + rise_m)],
          wall_color(plot), 0.66)  # fmt: skip
    _quad(canvas, [(x_m, y_m, top_m), (end_m, y_m, top_m),
                   (end_m, ridge_m, top_m + rise_m), (x_m, ridge_m, top_m + rise_m)],
          color, gain)  # fmt: skip


def draw_park(canvas: Canvas, plot: Plot, x_m: float, y_m: float, seed: int) -> None:
    """Draw trees behind a fence; the parameters are those of :func:`draw_building`."""
    gain = _gain(plot.side)
    end_m = x_m + plot.length_m
    behind_m = y_m + plot.side * _HEDGE_M
    canvas.wall(hedge(seed), (x_m - 6, end_m + 6, 0.0, 3.4), behind_m, 'tree', 0.8 * gain)
    count = max(int(plot.length_m / 4), 2)
    for index in reversed(range(count)):
        number = int(plot.variant[index % 4] * CROWNS + index) % CROWNS
        size_m = 4.5 + 3.0 * plot.variant[(index + 1) % 4]
        foot = (x_m + (index + 0.6) * plot.length_m / count, y_m + plot.side * 3.5, 1.2)
        canvas.sprite(crown(seed, number), foot, (size_m, size_m), 'tree', gain)
    texture = fence(int(plot.variant[0] * 3))
    canvas.wall(texture, (x_m, end_m, 0.0, plot.height_m), y_m, 'fence', gain)


def draw_horizon(canvas: Canvas, seed: int, distance_m: float, middle_m: float) -> None:
    """
    Close the street with buildings and trees at a distance.

    :param middle_m: middle of the road, left of the vehicle
    """
    rng = np.random.default_rng((seed, 206))
    half_m = STREET_HALF_WIDTH_M + 14
    for left_m in np.arange(-half_m, half_m, 6.0):
        y_m, top_m = middle_m + left_m, rng.uniform(6, 13)
        _quad(canvas, [(distance_m, y_m, 0), (distance_m, y_m + 6, 0),
                       (distance_m, y_m + 6, top_m), (distance_m, y_m, top_m)],
              (120, 128, 136), rng.uniform(0.85, 1.05))  # fmt: skip
    for y_m in rng.uniform(-half_m, half_m, 14):
        size_m = float(rng.uniform(6, 10))
        foot = (distance_m - 2, middle_m + float(y_m), 0.0)
        canvas.sprite(crown(seed, int(rng.integers(CROWNS))), foot, (size_m, size_m), 'tree', 0.9)


def _gain(side: int) -> float:
    """Return the brightness of fronts: those on the left have the sun behind them."""
    return 0.8 if side > 0 else 1.06


def _quad(
    canvas: Canvas,
    corners: list[tuple[float, float, float]],
    color_bgr: tuple[float, float, float],
    gain: float,
) -> None:
    canvas.polygon(np.array(corners, float), color_bgr, 'building', gain)
