"""People who walk, and people on bicycles, seen from the front or from behind."""

from __future__ import annotations

from functools import lru_cache
import math

import cv2
from espnet_ros.sources.street.rendering.textures import Sprite
import numpy as np
from numpy.typing import NDArray

PHASES = 8
OUTFITS = 10
PERSON_ASPECT = 0.5
"""Width of the picture of a person over its height."""
CYCLIST_ASPECT = 0.55

_ROWS = 384
_SKINS_BGR = ((148, 178, 222), (110, 146, 196), (62, 88, 128), (136, 166, 212))
_TOPS_BGR = (
    (58, 44, 40), (148, 96, 46), (46, 46, 150), (190, 192, 196), (52, 70, 58),
    (92, 62, 84), (36, 110, 168), (120, 128, 132), (34, 34, 36), (160, 140, 96),
)  # fmt: skip
_TROUSERS_BGR = ((52, 40, 34), (88, 62, 44), (40, 42, 46), (96, 104, 112), (70, 84, 104))
_HAIRS_BGR = ((28, 34, 44), (48, 74, 106), (92, 150, 186), (120, 122, 124))


@lru_cache(maxsize=PHASES * OUTFITS)
def person(outfit: int, phase: int) -> Sprite:
    """
    Return a walking person.

    :param outfit: 0 to OUTFITS - 1
    :param phase: 0 to PHASES - 1, the moment of the step
    """
    return Sprite(_Figure(outfit).walk(2 * math.pi * phase / PHASES))


@lru_cache(maxsize=PHASES * OUTFITS)
def cyclist(outfit: int, phase: int) -> Sprite:
    """Return a person on a bicycle; the parameters are those of :func:`person`."""
    return Sprite(_Figure(outfit).ride(2 * math.pi * phase / PHASES))


class _Figure:
    """Paints in units of its height, x to the right of the middle, y up from the feet."""

    def __init__(self, outfit: int) -> None:
        rng = np.random.default_rng((204, outfit))
        self.picture = np.zeros((_ROWS, round(_ROWS * CYCLIST_ASPECT), 4), np.uint8)
        self.skin = _SKINS_BGR[rng.integers(len(_SKINS_BGR))]
        self.top = _TOPS_BGR[outfit % len(_TOPS_BGR)]
        self.trousers = _TROUSERS_BGR[rng.integers(len(_TROUSERS_BGR))]
        self.hair = _HAIRS_BGR[rng.integers(len(_HAIRS_BGR))]
        self.has_skirt = bool(rng.random() < 0.25)
        self.has_bag = bool(rng.random() < 0.4)
        self.is_seen_from_behind = bool(rng.random() < 0.5)

    def walk(self, phase: float) -> NDArray[np.uint8]:
        width = round(_ROWS * PERSON_ASPECT)
        self.picture = self.picture[:, :width].copy()
        swing = math.sin(phase)
        for side, lift in ((-1, max(swing, 0.0)), (1, max(-swing, 0.0))):
            foot = (0.055 * side, 0.03 + 0.09 * lift)
            self._limb([(0.05 * side, 0.5), (0.06 * side, 0.27 + 0.03 * lift), foot],
                       (0.105, 0.085, 0.06), self.trousers)  # fmt: skip
            self._limb([foot, (foot[0] + 0.012 * side, foot[1] - 0.012)], (0.062, 0.055),
                       (30, 32, 36))  # fmt: skip
        if self.has_skirt:
            self._shape([(-0.09, 0.54), (0.09, 0.54), (0.13, 0.26), (-0.13, 0.26)], self.top)
        self._upper_body(swing)
        return self._shaded()

    def ride(self, phase: float) -> NDArray[np.uint8]:
        dark = (34, 34, 36)
        self._limb([(0, 0.02), (0, 0.34)], (0.03, 0.03), dark)
        self._limb([(0, 0.3), (0, 0.52)], (0.025, 0.03), (90, 92, 96))
        self._limb([(-0.17, 0.55), (0.17, 0.55)], (0.025, 0.025), dark)
        for side in (-1, 1):
            lift = 0.08 * math.sin(phase) * side
            leg = [(0.06 * side, 0.52), (0.1 * side, 0.36 + lift), (0.07 * side, 0.17 + lift)]
            self._limb(leg, (0.1, 0.085, 0.055), self.trousers)
        self._upper_body(0.0, hands=0.56, reach=0.16)
        cv2.circle(
            self.picture, self._pixel(0, 0.94), round(0.058 * _ROWS), (60, 60, 200, 255), -1
        )
        self._limb([(0, 0.88), (0, 0.885)], (0.085, 0.085), self.skin)
        return self._shaded()

    def _upper_body(self, swing: float, hands: float = 0.46, reach: float = 0.15) -> None:
        for side in (-1, 1):
            hand = (reach * side, hands + 0.05 * max(swing * side, 0.0))
            elbow = (0.155 * side, 0.62)
            self._limb([(0.115 * side, 0.79), elbow, hand], (0.075, 0.062, 0.05), self.top)
            self._limb([hand, (hand[0], hand[1] - 0.015)], (0.045, 0.04), self.skin)
        self._shape(
            [(-0.05, 0.845), (0.05, 0.845), (0.13, 0.805), (0.12, 0.62), (0.115, 0.47),
             (-0.115, 0.47), (-0.12, 0.62), (-0.13, 0.805)], self.top,
        )  # fmt: skip
        if self.has_bag:
            self._shape([(-0.085, 0.79), (0.085, 0.79), (0.09, 0.58), (-0.09, 0.58)], self.hair)
        self._limb([(0, 0.82), (0, 0.87)], (0.06, 0.06), self.skin)
        self._limb([(0, 0.905), (0, 0.935)], (0.105, 0.11), self.skin)
        low = 0.9 if self.is_seen_from_behind else 0.955
        self._limb([(0, low), (0, 0.945)], (0.112, 0.115), self.hair)

    def _pixel(self, x: float, y: float) -> tuple[int, int]:
        return round(self.picture.shape[1] / 2 + x * _ROWS), round((1 - y) * _ROWS)

    def _shape(self, points: list[tuple[float, float]], color: tuple[int, int, int]) -> None:
        corners = np.array([self._pixel(*p) for p in points], np.int32)
        cv2.fillPoly(self.picture, [corners], (*color, 255))

    def _limb(
        self,
        points: list[tuple[float, float]],
        widths: tuple[float, ...],
        color: tuple[int, int, int],
    ) -> None:
        """Paint a round-ended, tapering line through the points."""
        for (start, w0), (end, w1) in zip(
            zip(points, widths, strict=True),
            zip(points[1:], widths[1:], strict=True),
            strict=False,
        ):
            for step in np.linspace(0, 1, 24):
                x = start[0] + step * (end[0] - start[0])
                y = start[1] + step * (end[1] - start[1])
                radius = round((w0 + step * (w1 - w0)) * _ROWS / 2)
                cv2.circle(self.picture, self._pixel(x, y), radius, (*color, 255), -1)

    def _shaded(self) -> NDArray[np.uint8]:
        """Darken towards the right edge of every part, away from the sun."""
        alpha = self.picture[:, :, 3].astype(np.float32) / 255
        slope = cv2.Sobel(cv2.GaussianBlur(alpha, (0, 0), 7), cv2.CV_32F, 1, 0)
        rng = np.random.default_rng(205)
        folds = cv2.GaussianBlur(rng.standard_normal(alpha.shape).astype(np.float32), (0, 0), 5)
        light = np.clip(0.98 + 2.2 * slope + 0.7 * folds, 0.5, 1.35)[:, :, None]
        shaded = self.picture.copy()
        shaded[:, :, :3] = np.clip(self.picture[:, :, :3] * light, 0, 255).astype(np.uint8)
        return shaded
