"""The fronts of buildings, and fences."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
from espnet_ros.sources.street.rendering.textures import fractal_noise, Picture, Ripmap, to_picture
from espnet_ros.sources.street.town import Plot
import numpy as np
from numpy.typing import NDArray

_PER_M = 20
_WALLS_BGR = (
    (80, 94, 122), (100, 112, 138), (150, 176, 196), (188, 204, 212), (150, 158, 164),
    (128, 166, 190), (104, 112, 118), (176, 188, 186), (84, 104, 128), (166, 190, 214),
)  # fmt: skip
_SHOPS_BGR = ((74, 52, 46), (52, 56, 96), (54, 76, 56), (46, 46, 50), (120, 140, 156))
_FRAMES_BGR = ((226, 230, 232), (214, 216, 216), (58, 62, 70), (90, 84, 80))
_GROUND_FLOOR_M = 3.6


def wall_color(plot: Plot) -> tuple[float, float, float]:
    """Return the colour of a building's walls, BGR."""
    blue, green, red = _WALLS_BGR[int(plot.variant[0] * len(_WALLS_BGR))]
    return float(blue), float(green), float(red)


@lru_cache(maxsize=64)
def facade(plot: Plot) -> Ripmap:
    return Ripmap(_Facade(plot).paint())


@dataclass(frozen=True)
class _Style:
    """What the windows of one building look like, metres."""

    spacing_m: float
    width_m: float
    height_m: float
    frame_bgr: tuple[int, int, int]
    has_shop: bool


class _Facade:
    def __init__(self, plot: Plot) -> None:
        self.plot = plot
        self.rng = np.random.default_rng(int(plot.variant[1] * 2**40))
        shape = round(plot.height_m * _PER_M), round(plot.length_m * _PER_M)
        noise = fractal_noise(self.rng, shape, (3, 3), 5)
        grain = self.rng.standard_normal(shape).astype(np.float32)
        soot = np.linspace(4, -9, shape[0], dtype=np.float32)[:, None]
        change = 7 * noise + 4 * grain + soot + self._bricks(shape)
        self.picture = to_picture(np.array(wall_color(plot)) + change[:, :, None])
        spacing_m = self.rng.uniform(1.9, 2.9)
        self.style = _Style(
            spacing_m,
            spacing_m * self.rng.uniform(0.42, 0.62),
            self.rng.uniform(1.4, 1.9),
            _FRAMES_BGR[self.rng.integers(len(_FRAMES_BGR))],
            bool(self.rng.random() < 0.55),
        )

    def paint(self) -> Picture:
        """Return the front, upper edge first."""
        floors = max(int((self.plot.height_m - _GROUND_FLOOR_M) / 3.0), 1)
        floor_m = (self.plot.height_m - _GROUND_FLOOR_M - 0.5) / floors
        for floor in range(floors):
            base_m = _GROUND_FLOOR_M + floor * floor_m + 0.35 * (floor_m - 2.0)
            self._row_of_windows(base_m)
        if self.style.has_shop:
            self._shop()
        else:
            self._row_of_windows(1.0, with_door=True)
        self._cornice()
        return self.picture

    def _bricks(self, shape: tuple[int, int]) -> NDArray[np.float32]:
        """Return courses of bricks, or nothing for plaster."""
        if self.plot.variant[0] > 0.25:
            return np.zeros(shape, np.float32)
        cells = self.rng.normal(0, 7, (shape[0] // 2 + 1, shape[1] // 5 + 1)).astype(np.float32)
        return np.kron(cells, np.ones((2, 5), np.float32))[: shape[0], : shape[1]]

    def _box(
        self, left_m: float, bottom_m: float, size_m: tuple[float, float], color: tuple[float, ...]
    ) -> None:
        """Fill a rectangle; metres from the lower left corner, size (height, width)."""
        rows = self.picture.shape[0]
        first = round(left_m * _PER_M), rows - round((bottom_m + size_m[0]) * _PER_M)
        last = round((left_m + size_m[1]) * _PER_M) - 1, rows - round(bottom_m * _PER_M) - 1
        cv2.rectangle(self.picture, first, last, color, -1)

    def _row_of_windows(self, base_m: float, *, with_door: bool = False) -> None:
        style = self.style
        count = max(int((self.plot.length_m - 0.8) / style.spacing_m), 1)
        margin_m = (self.plot.length_m - count * style.spacing_m) / 2
        door = int(self.rng.integers(count)) if with_door else -1
        for column in range(count):
            left_m = margin_m + (column + 0.5) * style.spacing_m - style.width_m / 2
            if column == door:
                self._door(left_m)
            else:
                self._window(left_m, base_m, (style.height_m, style.width_m))

    def _window(self, left_m: float, base_m: float, size_m: tuple[float, float]) -> None:
        height_m, width_m = size_m
        wall = np.array(wall_color(self.plot))
        self._box(left_m - 0.12, base_m - 0.16, (0.14, width_m + 0.24), (*(wall * 1.18 + 12),))
        self._box(left_m - 0.06, base_m + height_m, (0.12, width_m + 0.12), (*(wall * 0.66),))
        self._box(left_m, base_m, size_m, self.style.frame_bgr)
        self._glass(left_m + 0.08, base_m + 0.08, (height_m - 0.16, width_m - 0.16))
        self._box(left_m + width_m / 2 - 0.03, base_m, (height_m, 0.07), self.style.frame_bgr)

    def _glass(self, left_m: float, bottom_m: float, size_m: tuple[float, float]) -> None:
        """Paint a pane: the sky's reflection above, a dark room or a curtain below."""
        shade = self.rng.uniform(0.75, 1.2)
        self._box(left_m, bottom_m, size_m, (52 * shade, 46 * shade, 42 * shade))
        upper_m = size_m[0] * self.rng.uniform(0.2, 0.6)
        sky = (132 * shade, 118 * shade, 104 * shade)
        self._box(left_m, bottom_m + size_m[0] - upper_m, (upper_m, size_m[1]), sky)
        if self.rng.random() < 0.35:
            curtain = self.rng.uniform(120, 190)
            self._box(left_m, bottom_m, (size_m[0], size_m[1] * 0.25), (curtain,) * 3)

    def _door(self, left_m: float) -> None:
        color = _SHOPS_BGR[self.rng.integers(len(_SHOPS_BGR))]
        self._box(left_m - 0.1, 0, (2.7, 1.3), self.style.frame_bgr)
        self._box(left_m, 0.08, (2.2, 1.1), color)
        self._glass(left_m, 2.3, (0.3, 1.1))

    def _shop(self) -> None:
        color = _SHOPS_BGR[self.rng.integers(len(_SHOPS_BGR))]
        self._box(0.3, 0, (3.4, self.plot.length_m - 0.6), color)
        lighter = tuple(min(255.0, c * 1.3 + 50) for c in color)
        self._box(0.8, 2.85, (0.34, self.plot.length_m - 1.6), lighter)
        count = max(int(self.plot.length_m / 2.8), 1)
        pane_m = (self.plot.length_m - 1.2) / count
        door = int(self.rng.integers(count))
        for pane in range(count):
            bottom_m = 0.1 if pane == door else 0.6
            self._glass(0.7 + pane * pane_m, bottom_m, (2.55 - bottom_m, pane_m - 0.25))

    def _cornice(self) -> None:
        wall = np.array(wall_color(self.plot))
        width_m, height_m = self.plot.length_m, self.plot.height_m
        self._box(0, height_m - 0.45, (0.45, width_m), (*np.minimum(wall * 1.12 + 8, 255),))
        self._box(0, height_m - 0.55, (0.12, width_m), (*(wall * 0.6),))
        self._box(0, 0, (height_m, 0.1), (*(wall * 0.62),))
        if not self.style.has_shop:
            self._box(0, 0, (0.5, width_m), (*(wall * 0.7),))


@lru_cache(maxsize=16)
def fence(number: int) -> Ripmap:
    """Return the texture of a wooden fence; one of a few colours."""
    rng = np.random.default_rng((203, number))
    base = np.array(((64, 92, 118), (110, 122, 128), (72, 84, 80))[number % 3], float)
    boards = rng.normal(0, 9, 80).repeat(6)
    rows = np.linspace(6, -14, 52)[:, None]
    picture = base + (boards[None, :] + rows + rng.normal(0, 5, (52, 480)))[:, :, None]
    picture[:, ::6] *= 0.55
    picture[[8, 9, 40, 41]] *= 0.8
    return Ripmap(to_picture(picture))
