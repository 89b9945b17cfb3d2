"""The synthetic street as a source."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
import math

from espnet_ros.exceptions import InputError
from espnet_ros.labels import load_label_set
from espnet_ros.sources.base import BrokenFrame, Frame, FrameCalibration, Source
from espnet_ros.sources.street.renderer import LABEL_SET, StreetRenderer
from espnet_ros.sources.street.rendering.projection import make_camera
from espnet_ros.sources.street.scene import StreetScene

SIZE = (540, 960)
RATE_HZ = 25.0
HEIGHT_M = 1.4
PITCH_RAD = 0.04
FIELD_OF_VIEW_RAD = math.radians(62)


class StreetSource(Source):
    """
    A car drives through an endless street; the camera looks ahead.

    Each frame comes with its exact labels (those of CamVid), and can be rendered on its own.
    The same arguments give the same frames.

    :param rate_hz: frames per second of the street's time
    :param pitch_rad: how far the camera points below the horizontal
    :param field_of_view_rad: angle between the left and the right edge of the image
    :raises InputError: an argument is out of its bounds
    """

    def __init__(
        self,
        *,
        size: tuple[int, int] = SIZE,
        rate_hz: float = RATE_HZ,
        seed: int = 0,
        height_m: float = HEIGHT_M,
        pitch_rad: float = PITCH_RAD,
        field_of_view_rad: float = FIELD_OF_VIEW_RAD,
    ) -> None:
        _check('height', size[0], 16, 8192)
        _check('width', size[1], 16, 8192)
        _check('rate', rate_hz, 0.01, 1000.0)
        _check('seed', seed, 0, 2**31 - 1)
        _check('height of the camera', height_m, 0.2, 20.0)
        _check('pitch', pitch_rad, -1.0, 1.0)
        _check('field of view', field_of_view_rad, 0.2, 2.4)
        camera = make_camera(size, height_m, pitch_rad, field_of_view_rad)
        super().__init__(
            f'synthetic street {seed}',
            rate_hz=rate_hz,
            size=size,
            camera=camera,
            calibration=FrameCalibration(camera.calibration),
            label_set=load_label_set(LABEL_SET),
        )
        self._street_camera = camera
        self._seed = seed
        self._period_s = 1 / rate_hz

    @cached_property
    def _renderer(self) -> StreetRenderer:
        return StreetRenderer(self._street_camera, self._seed)

    def frame(self, index: int) -> Frame:
        """Return one frame; it does not depend on those before it."""
        image_bgr, labels = self._renderer.render(index * self._period_s)
        name = f'street_{index:06d}'
        return Frame(name, index, image_bgr, labels, calibration=self.calibration)

    def scene(self, index: int) -> StreetScene:
        """Return the geometry that a frame shows, in metres."""
        return self._renderer.scene(index * self._period_s)

    def _frames(self) -> Iterator[Frame | BrokenFrame]:
        index = 0
        while True:
            yield self.frame(index)
            index += 1


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InputError(
            f'synthetic street, {name}: expected {low:g} to {high:g}, found {value:g}'
        )
