"""The place of every pixel, as an organised cloud aligned with the mask."""

from __future__ import annotations

import math

from espnet_ros.planning.geometry.camera import Camera
from espnet_ros.planning.geometry.pose import CameraPose
from espnet_ros.planning.ground_scan import GroundScan
from espnet_ros.planning.polar_grid import PolarGrid
import numpy as np
from numpy.typing import NDArray


class PixelCloud:
    """
    Gives every pixel a place: flat classes on the ground, upright ones where they stand.

    A pixel of an upright class looks over the place where it touches the ground, so it lies
    above that place. Laid flat, obstacles would smear over the ground that they hide.

    :param camera: of the mask's size
    :param polar: bearings of the same camera
    :param reach_m: farther points are NaN
    """

    def __init__(self, camera: Camera, pose: CameraPose, polar: PolarGrid, reach_m: float) -> None:
        height, width = camera.size
        u, v = np.meshgrid(np.arange(width), np.arange(height))
        rays = camera.rays(np.stack([u, v], axis=-1).astype(float)) @ pose.matrix.T
        across = np.hypot(rays[..., 0], rays[..., 1])
        with np.errstate(divide='ignore', invalid='ignore'):
            self._rise = (rays[..., 2] / across).astype(np.float32)
            reach = np.where(rays[..., 2] < 0, -pose.height_m * across / rays[..., 2], np.inf)
            self._directions = (rays[..., :2] / across[..., None]).astype(np.float32)
        self._reach_m = np.where(reach <= reach_m, reach, np.nan).astype(np.float32)
        self._foot_m = np.array(pose.position_m[:2], np.float32)
        self._height_m = pose.height_m
        # Above the horizon a pixel belongs to what stands at the farthest place.
        limit = polar.height_m / math.tan(polar.depressions_rad[-1]) * (1 - 1e-6)
        inside = np.fmin(reach, limit)[..., None] * self._directions + self._foot_m
        with np.errstate(invalid='ignore'):
            self._index = polar.index_of(np.nan_to_num(inside, nan=np.inf))

    def points(self, scan: GroundScan, upright: NDArray[np.bool_]) -> NDArray[np.float32]:
        """
        Return the place of every pixel.

        :param scan: of the mask, on the polar grid given before
        :param upright: bool, (H, W), which pixels are of an upright class
        :return: float32, (H, W, 3), metres in the robot's frame over the ground; NaN where
            nothing is known
        """
        polar = scan.polar
        starts = np.append(np.where(scan.upright, scan.starts, -1).ravel(), np.int16(-1))
        start = np.take(starts, self._index)
        edges = np.append(polar.near_edges_m, np.nan).astype(np.float32)
        standing = np.take(edges, np.where(start >= 0, start, len(edges) - 1))
        ranges = np.where(upright, standing, self._reach_m)
        points = np.empty((*ranges.shape, 3), np.float32)
        points[..., :2] = self._directions * ranges[..., None] + self._foot_m
        points[..., 2] = np.where(upright, self._height_m + self._rise * ranges, 0.0 * ranges)
        return points
