"""Where points appear in the image of a mounted camera."""

from __future__ import annotations

from espnet_ros.planning.geometry.camera import Camera
from espnet_ros.planning.geometry.pose import CameraPose
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


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
