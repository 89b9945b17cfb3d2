"""Pictures that are drawn smaller than they are, and noise to make them from."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


class Ripmap:
    """
    A texture and its reductions by powers of two, across and down independently.

    :param image_bgr: uint8, (H, W, 3)
    """

    def __init__(self, image_bgr: Picture) -> None:
        self._levels = {(0, 0): image_bgr}

    def reduced(self, width_px: float, height_px: float) -> Picture:
        """Return the reduction that is about as large as what it is drawn to."""
        rows, columns = self._levels[0, 0].shape[:2]
        level = _level(rows, height_px), _level(columns, width_px)
        if level not in self._levels:
            size = max(columns >> level[1], 1), max(rows >> level[0], 1)
            small = cv2.resize(self._levels[0, 0], size, interpolation=cv2.INTER_AREA)
            self._levels[level] = np.asarray(small, np.uint8)
        return self._levels[level]


class Sprite:
    """
    A picture with holes, and its reductions by powers of two.

    :param image_bgra: uint8, (H, W, 4); alpha is 0 or 255
    """

    def __init__(self, image_bgra: Picture) -> None:
        self._levels = [_spread_colors(image_bgra)]

    def reduced(self, height_px: float) -> Picture:
        """Return the reduction that is about as high as what it is drawn to."""
        level = _level(self._levels[0].shape[0], height_px)
        while len(self._levels) <= level:
            rows, columns = self._levels[-1].shape[:2]
            size = max(columns // 2, 1), max(rows // 2, 1)
            small = cv2.resize(self._levels[-1], size, interpolation=cv2.INTER_AREA)
            self._levels.append(np.asarray(small, np.uint8))
        return self._levels[level]


def _level(size: int, drawn: float) -> int:
    return max(0, min(int(math.log2(max(size / max(drawn, 1.0), 1.0)) + 0.3), size.bit_length()))


def _spread_colors(image_bgra: Picture) -> Picture:
    """Fill the holes with colours from around them, so that reductions have no fringe."""
    alpha = image_bgra[:, :, 3:].astype(np.float32) / 255
    color = image_bgra[:, :, :3].astype(np.float32)
    wide = (0, 0), max(image_bgra.shape[:2]) / 40
    weight = cv2.GaussianBlur(alpha, *wide)[:, :, None]
    mean = (color * alpha).sum((0, 1)) / max(float(alpha.sum()), 1.0)
    around = (cv2.GaussianBlur(color * alpha, *wide) + mean * 1e-3) / (weight + 1e-3)
    filled = image_bgra.copy()
    filled[:, :, :3] = np.where(alpha > 0, color, around).astype(np.uint8)
    return filled


def fractal_noise(
    rng: np.random.Generator,
    shape: tuple[int, int],
    coarse: tuple[int, int],
    octaves: int,
    *,
    roughness: float = 0.5,
) -> NDArray[np.float32]:
    """
    Return smooth noise of mean 0 and deviation 1 that repeats seamlessly.

    :param shape: (H, W)
    :param coarse: cells (down, across) of the coarsest octave
    :param roughness: weight of each octave relative to the coarser one
    """
    noise = np.zeros(shape, np.float32)
    for octave in range(octaves):
        cells = min(coarse[0] << octave, shape[0]), min(coarse[1] << octave, shape[1])
        grid = np.pad(rng.standard_normal(cells).astype(np.float32), 2, mode='wrap')
        scale = shape[1] / cells[1], shape[0] / cells[0]
        matrix = np.array([[scale[0], 0, -2 * scale[0]], [0, scale[1], -2 * scale[1]]])
        fine = cv2.warpAffine(grid, matrix, (shape[1], shape[0]), flags=cv2.INTER_CUBIC)
        noise += np.float32(roughness**octave) * fine
    return np.asarray((noise - noise.mean()) / max(float(noise.std()), 1e-6), np.float32)


def to_picture(values: NDArray[np.floating]) -> Picture:
    """Round and limit to 0..255."""
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)
