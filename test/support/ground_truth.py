"""Where on the ground pixels look, by the definition of a camera; the code is held against it."""

from __future__ import annotations

from espnet_ros.planning.geometry.camera import Camera
from espnet_ros.planning.geometry.pose import CameraPose
import numpy as np
from numpy.typing import NDArray


def pixels_to_ground(
    camera: Camera, pose: CameraPose, pixels: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (..., 2), metres ahead and to the left; NaN at and above the horizon."""
    rays = camera.rays(pixels) @ pose.matrix.T
    with np.errstate(divide='ignore', invalid='ignore'):
        reach = np.where(rays[..., 2] < -1e-9, -pose.height_m / rays[..., 2], np.nan)
    return np.asarray(rays[..., :2] * reach[..., None] + pose.position_m[:2])
