"""
The ground as one camera sees it: bearings that spread from the point below the camera.

Along a bearing the image is a line of pixels that looks at the ground from near to far, so
what stands on the ground hides what is behind it there, and the nearest of its pixels is
where it touches the ground. Places along a bearing are spaced evenly by angle, about two a
pixel, so that none is left out near or far.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from espnet_ros.exceptions import InputError
from espnet_ros.planning.geometry.camera import Camera
from espnet_ros.planning.geometry.pose import CameraPose, points_to_pixels
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SAMPLES_PER_PIXEL = 2.0
_MOST_BEARINGS = 2048
_MOST_SAMPLES = 2048
_INSIDE_STRIDE = 8


@dataclass(frozen=True, eq=False)
class PolarGrid:
    """
    Bearings and depressions (angles below the horizontal) that cover what a camera sees.

    :param foot_m: (x, y) below the camera
    :param height_m: of the camera
    :param bearings_rad: (B,), evenly spaced
    :param depressions_rad: (R,), evenly spaced, from steep to flat
    :param pixels: int32, (B, R), flat index of the pixel that looks there; the number of
        pixels where none does
    """

    foot_m: tuple[float, float]
    height_m: float
    bearings_rad: Array
    depressions_rad: Array
    pixels: NDArray[np.int32]

    @property
    def step_rad(self) -> float:
        """Return the angle between neighbouring depressions."""
        return float(self.depressions_rad[0] - self.depressions_rad[1])

    @property
    def ranges_m(self) -> Array:
        """Return (R,), metres from the foot."""
        return self.height_m / np.tan(self.depressions_rad)

    @property
    def near_edges_m(self) -> Array:
        """Return (R,), metres from the foot to the side of each place that is nearer."""
        return self.height_m / np.tan(
            np.minimum(self.depressions_rad + self.step_rad / 2, math.pi / 2)
        )

    @property
    def directions(self) -> Array:
        """Return (B, 2), unit vectors along the bearings."""
        return np.stack([np.cos(self.bearings_rad), np.sin(self.bearings_rad)], axis=-1)

    def index_of(self, points: Array) -> NDArray[np.int32]:
        """
        Return the flat index into (B, R) of the places nearest to points.

        :param points: (..., 2), x and y; metres
        :return: int32, (...); B * R where a point lies outside
        """
        x, y = np.moveaxis(points - self.foot_m, -1, 0)
        middle = self.bearings_rad[len(self.bearings_rad) // 2]
        turn = np.mod(np.arctan2(y, x) - middle + math.pi, 2 * math.pi) - math.pi
        bearing_step = self.bearings_rad[1] - self.bearings_rad[0]
        rows = np.rint((turn + middle - self.bearings_rad[0]) / bearing_step)
        depressions = np.arctan2(self.height_m, np.hypot(x, y))
        columns = np.rint((self.depressions_rad[0] - depressions) / self.step_rad)
        count, length = self.pixels.shape
        inside = (rows >= 0) & (rows < count) & (columns >= 0) & (columns < length)
        return np.asarray(np.where(inside, rows * length + columns, count * length), np.int32)


def make_polar_grid(
    camera: Camera, pose: CameraPose, reach_m: float, fineness_m: float
) -> PolarGrid:
    """
    Return the polar grid that covers what a camera sees of the ground.

    :param reach_m: how far from the foot it looks
    :param fineness_m: distance between bearings at that reach which is fine enough
    :raises InputError: the camera sees no ground within reach
    """
    middle_rad, bearing_span, steepest = _seen_ground(camera, pose, reach_m)
    bearing_step = max(camera.pixel_angle_rad, fineness_m / reach_m)
    count = min(max(2, math.ceil(bearing_span / bearing_step) + 1), _MOST_BEARINGS)
    flattest = math.atan2(pose.height_m, reach_m)
    step = camera.pixel_angle_rad / _SAMPLES_PER_PIXEL
    length = min(max(2, math.ceil((steepest - flattest) / step) + 1), _MOST_SAMPLES)
    bearings = middle_rad + np.linspace(-bearing_span / 2, bearing_span / 2, count)
    depressions = np.linspace(steepest, flattest, length)
    directions = np.empty((count, length, 3))
    directions[..., 0] = np.cos(bearings)[:, None] * np.cos(depressions)
    directions[..., 1] = np.sin(bearings)[:, None] * np.cos(depressions)
    directions[..., 2] = -np.sin(depressions)
    pixels = camera.project(directions @ pose.matrix)
    height, width = camera.size
    with np.errstate(invalid='ignore'):
        inside = camera.contains(pixels)
        nearest = np.clip(np.rint(np.nan_to_num(pixels)), 0, (width - 1, height - 1))
    flat = np.where(inside, nearest[..., 1] * width + nearest[..., 0], height * width)
    foot = pose.position_m[:2]
    return PolarGrid(foot, pose.height_m, bearings, depressions, flat.astype(np.int32))


def _seen_ground(camera: Camera, pose: CameraPose, reach_m: float) -> tuple[float, float, float]:
    """Return the middle bearing, the span of bearings and the steepest depression seen."""
    rays = camera.rays(_scattered_pixels(camera.size)) @ pose.matrix.T
    down = -rays[:, 2]
    flattest = math.atan2(pose.height_m, reach_m)
    with np.errstate(invalid='ignore'):
        seen = down > math.sin(flattest)
    if not seen.any():
        raise InputError(
            f'camera pose: the camera sees no ground within {reach_m:.3g} m (height '
            f'{pose.height_m:.3g} m, pitch {math.degrees(pose.pitch_rad):.3g} degrees below the '
            'horizontal): it points at the sky, or its pose is wrong'
        )
    heading = pose.heading_rad
    foot_pixel = points_to_pixels(camera, pose, np.array([pose.position_m[:2]]))
    if camera.contains(foot_pixel)[0]:
        return heading, 2 * math.pi, math.pi / 2
    turn = np.arctan2(rays[seen, 1], rays[seen, 0]) - heading
    turn = np.mod(turn + math.pi, 2 * math.pi) - math.pi
    # The far ground to the sides is seen by no pixel of the scattered ones.
    margin = _INSIDE_STRIDE * camera.pixel_angle_rad
    first, last = float(turn.min()) - margin, float(turn.max()) + margin
    span = min(last - first, 2 * math.pi)
    steepest = math.asin(min(1.0, float(down[seen].max())))
    return heading + (first + last) / 2, span, max(steepest, flattest + 1e-4)


def _scattered_pixels(size: tuple[int, int]) -> Array:
    """Return the pixels of the border and some of those inside, shape (N, 2)."""
    height, width = size
    u, v = np.meshgrid(np.arange(width), np.arange(height))
    border = (u % (width - 1 or 1) == 0) | (v % (height - 1 or 1) == 0)
    inside = (u % _INSIDE_STRIDE == 0) & (v % _INSIDE_STRIDE == 0)
    chosen = border | inside
    return np.stack([u[chosen], v[chosen]], axis=-1).astype(float)
