"""Trees and hedges."""

from __future__ import annotations

from functools import lru_cache

import cv2
from espnet_ros.sources.street.rendering.textures import Ripmap, Sprite
import numpy as np
from numpy.typing import NDArray

CROWNS = 6
_SIZE = 320


@lru_cache(maxsize=32)
def crown(seed: int, number: int) -> Sprite:
    """Return one of the crowns of a street's trees, about as wide as high."""
    rng = np.random.default_rng((seed, 201, number))
    picture = np.zeros((_SIZE, _SIZE, 4), np.uint8)
    lumps = [(0.5, 0.55, 0.25)]
    for angle in np.linspace(0, 2 * np.pi, 9, endpoint=False) + rng.uniform(0, 1):
        reach, radius = rng.uniform(0.14, 0.33), rng.uniform(0.09, 0.17)
        lumps.append((0.5 + reach * np.cos(angle), 0.52 - 0.9 * reach * np.sin(angle), radius))
    for x in rng.uniform(0.3, 0.7, 3):
        lumps.append((float(x), float(rng.uniform(0.2, 0.4)), float(rng.uniform(0.1, 0.16))))
    _leaves(rng, picture, np.array(lumps), 4200)
    return Sprite(picture)


@lru_cache(maxsize=4)
def hedge(seed: int) -> Ripmap:
    """Return the texture of a wall of leaves."""
    rng = np.random.default_rng((seed, 202))
    picture = np.full((256, 512, 4), (34, 52, 40, 255), np.uint8)
    lumps = np.column_stack(
        [rng.uniform(0, 1.6, 60), rng.uniform(0, 0.8, 60), rng.uniform(0.08, 0.16, 60)]
    )
    _leaves(rng, picture, lumps, 7000)
    return Ripmap(np.ascontiguousarray(picture[:, :, :3]))


def _leaves(
    rng: np.random.Generator,
    picture: NDArray[np.uint8],
    lumps: NDArray[np.float64],
    count: int,
) -> None:
    """
    Paint tufts of leaves, dark ones first and lit ones last.

    :param picture: uint8 (H, W, 4), painted into
    :param lumps: rows of x, y, radius in units of _SIZE
    """
    which = rng.integers(len(lumps), size=count)
    angle = rng.uniform(0, 2 * np.pi, count)
    radius = np.sqrt(rng.uniform(0, 1.15, count)) * lumps[which, 2]
    x = lumps[which, 0] + radius * np.cos(angle)
    y = lumps[which, 1] + radius * np.sin(angle)
    # The sun stands up and to the left of every lump.
    lit = -0.55 * np.cos(angle) - 0.8 * np.sin(angle)
    light = lit * radius / lumps[which, 2] - 1.3 * (lumps[which, 1] - 0.45)
    light = np.linspace(-0.9, 0.6, count) + 0.45 * light + rng.normal(0, 0.22, count)
    hue = rng.uniform(-1, 1) + 0.5 * rng.normal(0, 1, count)
    for index in range(count):
        level = float(np.clip(66 + 42 * light[index], 18, 160))
        color = (level * 0.56, level, level * (0.86 + 0.1 * hue[index]), 255)
        center = (round(x[index] * _SIZE), round(y[index] * _SIZE))
        axes = (int(2 + 4 * rng.random()), int(1 + 3 * rng.random()))
        cv2.ellipse(picture, center, axes, float(rng.uniform(0, 180)), 0, 360, color, -1)
