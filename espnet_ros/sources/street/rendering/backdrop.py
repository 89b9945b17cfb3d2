"""What is behind everything: sky with clouds, and the ground with its texture."""

from __future__ import annotations

import cv2
from espnet_ros.labels import LabelSet
from espnet_ros.sources.street.rendering.canvas import HAZE_BGR
from espnet_ros.sources.street.rendering.projection import Projection
from espnet_ros.sources.street.rendering.textures import fractal_noise, Picture, to_picture
from espnet_ros.sources.street.scene import (
    LANE_WIDTH_M,
    ROAD_HALF_WIDTH_M,
    STREET_HALF_WIDTH_M,
    VEHICLE_OFFSET_M,
)
import numpy as np
from numpy.typing import NDArray

PERIOD_M = 32.0
_PER_M = 24
_SIDE_M = STREET_HALF_WIDTH_M + 4.0
_BANDS_M = ((0.0, 7.0, 1), (7.0, 14.0, 4), (14.0, 28.0, 12), (28.0, 60.0, 48))
_CURB_M = 0.14
_GUTTER_M = 0.25


def paint_sky(rng: np.random.Generator, projection: Projection) -> Picture:
    """Return a sky as large as the image, hazy at the horizon and with clouds above."""
    camera = projection.camera
    first = projection.ground_rows()[0]
    up = np.clip((first - np.arange(camera.height)) / camera.fy, 0, 1)[:, None, None]
    blue = np.array((226.0, 196.0, 162.0))
    sky = HAZE_BGR + 24 + (blue - HAZE_BGR - 24) * np.sqrt(up)
    noise = fractal_noise(rng, (camera.height, camera.width), (4, 3), 6, roughness=0.6)
    cloud = np.clip(0.5 + 0.55 * noise, 0, 1)[:, :, None] * np.clip(up * 8, 0, 1)
    light = np.array((246.0, 244.0, 242.0)) - 12 * np.clip(noise - 0.9, 0, 1)[:, :, None]
    return to_picture(sky + (light - sky) * cloud)


class Ground:
    """
    The plane that the street lies on, road markings and shadows left out.

    The label of each pixel follows from where its centre meets the plane, so it is exact.
    """

    def __init__(
        self, rng: np.random.Generator, projection: Projection, label_set: LabelSet
    ) -> None:
        camera = projection.camera
        self.first_row, ahead_m, per_pixel_m = projection.ground_rows()
        across_m = -(np.arange(camera.width) - camera.cx)[None, :] * per_pixel_m[:, None]
        from_middle_m = across_m + VEHICLE_OFFSET_M
        side_m = np.abs(from_middle_m)
        ids = [label_set.id_of(name) for name in ('road', 'pavement', 'void')]
        zone = (side_m >= ROAD_HALF_WIDTH_M).astype(np.intp) + (side_m >= STREET_HALF_WIDTH_M)
        self._labels = np.array(ids, np.uint8)[zone]
        self._bands = _bands(_paint_ground(rng), ahead_m, from_middle_m)
        self._curb = _mask(side_m, ROAD_HALF_WIDTH_M, ROAD_HALF_WIDTH_M + _CURB_M)
        self._gutter = _mask(side_m, ROAD_HALF_WIDTH_M - _GUTTER_M, ROAD_HALF_WIDTH_M)
        haze = (1 - np.exp(-ahead_m / 230.0))[:, None, None]
        shape = (len(ahead_m), camera.width, 3)
        self._clear = np.broadcast_to(1 - haze, shape).astype(np.float32)
        self._haze = to_picture(np.broadcast_to(HAZE_BGR * haze, shape))
        means = np.array(((98.0, 96.0, 94.0), (146.0, 150.0, 152.0), (70.0, 110.0, 90.0)))
        self._far = to_picture(means[zone])

    def draw(self, image_bgr: Picture, labels: Picture, position_m: float) -> None:
        """Draw the ground into the lower part of an image and its labels."""
        first = self.first_row
        image_bgr[first:] = self._far
        for rows, map_x, map_y, texture in self._bands:
            moved = map_x + np.float32(position_m % PERIOD_M * texture.shape[1] / (2 * PERIOD_M))
            image_bgr[first:][rows] = cv2.remap(
                texture, moved, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
        ground = image_bgr[first:]
        ground[self._curb] = (168, 170, 170)
        gutter = ground[self._gutter]
        ground[self._gutter] = gutter - gutter // 4
        labels[first:] = self._labels

    def shade_and_haze(self, image_bgr: Picture, light: Picture) -> None:
        """
        Darken what lies in shadow, and put haze over the distance.

        :param light: uint8, size of the ground's part of the image, 255 where the sun shines
        """
        ground = image_bgr[self.first_row :]
        shaded = cv2.multiply(ground, cv2.cvtColor(light, cv2.COLOR_GRAY2BGR), scale=1 / 255)
        clear = cv2.multiply(shaded, self._clear, dtype=cv2.CV_8U)
        cv2.add(clear, self._haze, dst=ground)


def _mask(side_m: NDArray[np.float64], inner_m: float, outer_m: float) -> NDArray[np.bool_]:
    return (side_m >= inner_m) & (side_m < outer_m)


def _bands(
    texture: Picture, ahead_m: NDArray[np.float64], from_middle_m: NDArray[np.float64]
) -> list[tuple[slice, NDArray[np.float32], NDArray[np.float32], Picture]]:
    """
    Prepare the sampling of the texture, coarser with distance against flicker.

    :return: for each band its rows, where to sample at position 0, and the texture
    """
    bands = []
    for near_m, far_m, reduction in _BANDS_M:
        inside = np.flatnonzero((ahead_m > near_m) & (ahead_m <= far_m))
        if not len(inside):
            continue
        rows = slice(int(inside[0]), int(inside[-1]) + 1)
        height, width = texture.shape[:2]
        down = max(reduction // 4, 1)
        size = (width // reduction, height // down)
        small = np.asarray(cv2.resize(texture, size, interpolation=cv2.INTER_AREA), np.uint8)
        map_x = np.broadcast_to(
            (ahead_m[rows, None] - near_m) * (_PER_M / reduction), from_middle_m[rows].shape
        )
        phase = near_m % PERIOD_M * _PER_M / reduction
        map_y = (from_middle_m[rows] + _SIDE_M) * (_PER_M / down)
        twice = np.roll(small, -round(phase), axis=1)
        bands.append(
            (rows, map_x.astype(np.float32), map_y.astype(np.float32), np.hstack([twice, twice]))
        )
    return bands


def _paint_ground(rng: np.random.Generator) -> Picture:
    """Return PERIOD_M of the street from above; rows from right to left, columns ahead."""
    shape = round(2 * _SIDE_M * _PER_M), round(PERIOD_M * _PER_M)
    side_m = np.abs((np.arange(shape[0]) + 0.5) / _PER_M - _SIDE_M)[:, None]
    stains = fractal_noise(rng, shape, (6, 8), 5)
    grain = rng.standard_normal(shape).astype(np.float32)
    asphalt = 97 + 5 * stains + 7 * grain + _tracks(side_m) + _patches(rng, shape)
    slabs = 149 + 6 * stains + 4 * grain + _slabs(rng, shape)
    grass = 92 + 12 * stains + 14 * grain
    color = np.where(side_m < ROAD_HALF_WIDTH_M, asphalt, slabs)[:, :, None] * (1.0, 0.985, 0.97)
    color = np.where(
        (side_m >= STREET_HALF_WIDTH_M)[:, :, None], grass[:, :, None] * (0.6, 1.1, 0.9), color
    )
    return to_picture(color)


def _tracks(side_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much darker the asphalt is where wheels roll."""
    middle = LANE_WIDTH_M / 2
    tracks = [np.exp(-(((side_m - middle - offset) / 0.28) ** 2)) for offset in (-0.75, 0.75)]
    oil = np.exp(-(((side_m - middle) / 0.3) ** 2))
    return np.asarray(-7 * (tracks[0] + tracks[1]) - 4 * oil)


def _patches(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return repaired asphalt, cracks and manhole covers as changes of brightness."""
    patches = np.zeros(shape, np.float32)
    for _ in range(5):
        row, column = rng.integers(shape[0]), rng.integers(shape[1])
        size = rng.integers(18, 60), rng.integers(30, 130)
        patches[row : row + size[0], column : column + size[1]] = rng.uniform(-16, 6)
    for _ in range(16):
        steps = rng.normal((9.0, 0.0), (3.0, 6.0), (12, 2)) * rng.choice((-1, 1))
        path = np.cumsum(steps, axis=0) + rng.uniform((0, 0), (shape[1], shape[0]))
        cv2.polylines(patches, [path.astype(np.int32)], False, -26.0, 1, cv2.LINE_AA)
    for side in (-1, 1):
        across = int((_SIDE_M + side * LANE_WIDTH_M * rng.uniform(0.3, 0.7)) * _PER_M)
        center = (int(rng.integers(40, shape[1] - 40)), across)
        cv2.circle(patches, center, round(0.33 * _PER_M), -30.0, -1)
        cv2.circle(patches, center, round(0.36 * _PER_M), -12.0, 2)
    return patches


def _slabs(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return paving stones of 0.5 by 1 m with their joints as changes of brightness."""
    rows, columns = _PER_M // 2, _PER_M
    cells = rng.normal(0, 5, (shape[0] // rows + 1, shape[1] // columns)).astype(np.float32)
    slabs = np.kron(cells, np.ones((rows, columns), np.float32))[: shape[0]]
    slabs[::rows] -= 34
    slabs[:, ::columns] -= 34
    return slabs
