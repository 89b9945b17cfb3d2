"""Puts a frame of the street together, back to front."""

from __future__ import annotations

import cv2
from espnet_ros.labels import load_label_set
from espnet_ros.sources.base import CameraModel
from espnet_ros.sources.street.objects.cars import draw_car
from espnet_ros.sources.street.objects.furniture import draw_lamp, draw_sign, draw_tree
from espnet_ros.sources.street.objects.houses import draw_building, draw_horizon, draw_park
from espnet_ros.sources.street.objects.people import (
    cyclist,
    CYCLIST_ASPECT,
    OUTFITS,
    person,
    PERSON_ASPECT,
    PHASES,
)
from espnet_ros.sources.street.rendering.backdrop import Ground, paint_sky
from espnet_ros.sources.street.rendering.canvas import Canvas
from espnet_ros.sources.street.rendering.lighting import draw_markings, ground_light
from espnet_ros.sources.street.rendering.projection import Projection
from espnet_ros.sources.street.scene import (
    Box,
    Cylinder,
    ROAD_HALF_WIDTH_M,
    STREET_HALF_WIDTH_M,
    StreetScene,
    VEHICLE_OFFSET_M,
)
from espnet_ros.sources.street.town import footprint, Plot, plots_between, Thing, things_between
import numpy as np
from numpy.typing import NDArray

SPEED_MPS = 8.0
VISIBLE_M = 150.0
BEHIND_M = 10.0
LABEL_SET = 'camvid'
_NOISE = 3.2


class StreetRenderer:
    """
    Renders any moment of an endless street.

    :param seed: which street, 0 to 2**31 - 1
    """

    def __init__(self, camera: CameraModel, seed: int) -> None:
        self.camera = camera
        self.seed = seed
        self.label_set = load_label_set(LABEL_SET)
        self._projection = Projection(camera)
        rng = np.random.default_rng((seed, 207))
        self._sky = paint_sky(rng, self._projection)
        self._ground = Ground(rng, self._projection, self.label_set)
        margin = 64
        shape = camera.height + margin, camera.width + margin, 3
        self._noise = np.clip(128 + 16 * _NOISE * rng.standard_normal(shape), 0, 255).astype(
            np.uint8
        )

    def scene(self, time_s: float) -> StreetScene:
        _, _, obstacles = self._world(time_s)
        return StreetScene(
            self.camera,
            self.label_set,
            time_s * SPEED_MPS,
            VEHICLE_OFFSET_M,
            ROAD_HALF_WIDTH_M,
            STREET_HALF_WIDTH_M,
            VISIBLE_M,
            tuple(obstacles),
        )

    def render(self, time_s: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """
        Return a moment as a camera sees it.

        :return: image, uint8 (H, W, 3) BGR, and its labels, uint8 (H, W); both new
        """
        plots, things, obstacles = self._world(time_s)
        position_m = time_s * SPEED_MPS
        canvas = Canvas(self._projection, self.label_set)
        canvas.image_bgr[:] = self._sky
        canvas.labels[:] = self.label_set.id_of('sky')
        if self._ground.first_row < self.camera.height:
            self._draw_ground(canvas, plots, obstacles, position_m)
        draw_horizon(canvas, self.seed, VISIBLE_M + 5, -VEHICLE_OFFSET_M)
        for plot in sorted(plots, key=lambda p: -p.x_m):
            self._draw_plot(canvas, plot, position_m)
        for thing in sorted(things, key=lambda t: -t.x_m):
            self._draw_thing(canvas, thing, position_m, time_s)
        return self._expose(canvas.image_bgr, time_s), canvas.labels

    def _world(self, time_s: float) -> tuple[list[Plot], list[Thing], list[Box | Cylinder]]:
        position_m = time_s * SPEED_MPS
        start_m, end_m = position_m - BEHIND_M, position_m + VISIBLE_M
        plots = plots_between(self.seed, start_m, end_m)
        things = things_between(self.seed, time_s, start_m, end_m)
        both: list[Thing | Plot] = [*plots, *things]
        return plots, things, [footprint(t, position_m, VEHICLE_OFFSET_M) for t in both]

    def _draw_ground(
        self,
        canvas: Canvas,
        plots: list[Plot],
        obstacles: list[Box | Cylinder],
        position_m: float,
    ) -> None:
        ground = self._ground
        ground.draw(canvas.image_bgr, canvas.labels, position_m)
        draw_markings(canvas, position_m, VISIBLE_M)
        light = ground_light(self._projection, ground.first_row, plots, obstacles, position_m)
        ground.shade_and_haze(canvas.image_bgr, light)

    def _draw_plot(self, canvas: Canvas, plot: Plot, position_m: float) -> None:
        x_m = plot.x_m - position_m
        y_m = plot.side * STREET_HALF_WIDTH_M - VEHICLE_OFFSET_M
        if plot.kind == 'building':
            draw_building(canvas, plot, x_m, y_m)
        else:
            draw_park(canvas, plot, x_m, y_m, self.seed)

    def _draw_thing(self, canvas: Canvas, thing: Thing, position_m: float, time_s: float) -> None:
        place = thing.x_m - position_m, thing.y_m - VEHICLE_OFFSET_M
        gain = 0.82 if thing.y_m > 0.5 else 1.0
        if thing.kind == 'car':
            draw_car(canvas, thing, place, gain)
        elif thing.kind == 'lamp':
            draw_lamp(canvas, thing, place, gain)
        elif thing.kind == 'sign':
            draw_sign(canvas, thing, place, gain)
        elif thing.kind == 'tree':
            draw_tree(canvas, thing, place, gain, self.seed)
        else:
            outfit = int(thing.variant[0] * OUTFITS)
            phase = int((time_s * 1.1 + thing.variant[2]) * PHASES) % PHASES
            is_person = thing.kind == 'person'
            sprite = person(outfit, phase) if is_person else cyclist(outfit, phase)
            width_m = thing.height_m * (PERSON_ASPECT if is_person else CYCLIST_ASPECT)
            label = 'pedestrian' if is_person else 'bicyclist'
            canvas.sprite(sprite, (*place, 0.0), (thing.height_m, width_m), label, gain)

    def _expose(self, image_bgr: NDArray[np.uint8], time_s: float) -> NDArray[np.uint8]:
        """Soften edges as a lens does and add the noise of a sensor."""
        soft = cv2.GaussianBlur(image_bgr, (3, 3), 0.55)
        rng = np.random.default_rng((self.seed, round(time_s * 1000)))
        y, x = rng.integers(0, 64, 2)
        noise = self._noise[y : y + self.camera.height, x : x + self.camera.width]
        noisy = cv2.addWeighted(cv2.LUT(soft, _TONES), 1.0, noise, 1 / 16, -8.0)
        return np.asarray(noisy, np.uint8)


def _tone_curve() -> NDArray[np.uint8]:
    """Return how a camera that is exposed for the sky renders 0..255: darker, with contrast."""
    value = np.linspace(0, 1, 256)
    curve = 0.72 * value**1.35 + 0.34 * value**2 * (3 - 2 * value)
    return np.clip(np.rint(255 * curve), 0, 255).astype(np.uint8)


_TONES = _tone_curve()
