"""Pixels to places on the ground, and back."""

from __future__ import annotations

from espnet_ros.planning.geometry.camera import Camera
from espnet_ros.planning.geometry.pose import CameraPose
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_HORIZONTAL = 1e-9


def pixels_to_ground(camera: Camera, pose: CameraPose, pixels: Array) -> Array:
    """
    Return where on the ground pixels look.

    :param pixels: (..., 2), column and row
    :return: (..., 2), metres ahead and to the left of the robot; NaN at and above the horizon
    """
    rays = camera.rays(pixels) @ pose.matrix.T
    with np.errstate(divide='ignore', invalid='ignore'):
        reach = np.where(rays[..., 2] < -_HORIZONTAL, -pose.height_m / rays[..., 2], np.nan)
    return np.asarray(rays[..., :2] * reach[..., None] + pose.position_m[:2])


def points_to_pixels(camera: Camera, pose: CameraPose, points: Array) -> Array:
    """
    Return the pixels in which points appear.

    :param points: (..., 3), metres, robot's frame; or (..., 2) on the ground
    :return: (..., 2), column and row, also outside the image; NaN where the lens does not
        see the point
    """
    if points.shape[-1] == 2:
        points = np.concatenate([points, np.zeros((*points.shape[:-1], 1))], axis=-1)
    return camera.project((points - pose.position_m) @ pose.matrix)


def horizon_pixels(camera: Camera, pose: CameraPose, bearings_rad: Array) -> Array:
    """
    Return where the horizon appears.

    :param bearings_rad: (N,), counterclockwise from the robot's x
    :return: (N, 2), column and row; NaN where the lens does not see that way
    """
    level = np.zeros_like(bearings_rad)
    directions = np.stack([np.cos(bearings_rad), np.sin(bearings_rad), level], axis=-1)
    return camera.project(directions @ pose.matrix)
