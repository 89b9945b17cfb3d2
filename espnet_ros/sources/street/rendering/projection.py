"""From metres in the vehicle's frame to pixels and back to the ground."""

from __future__ import annotations

import math

from espnet_ros.sources.base import CameraModel
import numpy as np
from numpy.typing import NDArray

NEAR_M = 0.4
"""Nothing nearer to the camera than this is drawn."""


def make_camera(
    size: tuple[int, int], height_m: float, pitch_rad: float, field_of_view_rad: float
) -> CameraModel:
    """
    Return a camera whose optical axis goes through the middle of the image.

    :param size: (height, width), pixels
    :param pitch_rad: how far it points below the horizontal
    :param field_of_view_rad: angle between the left and the right edge of the image
    """
    height, width = size
    focal = width / 2 / math.tan(field_of_view_rad / 2)
    return CameraModel(
        focal, focal, (width - 1) / 2, (height - 1) / 2, width, height, height_m, pitch_rad
    )


class Projection:
    """
    Projects points of the vehicle's frame (x ahead, y left, z up, ground at 0).

    :param camera: the camera, above the origin; its height and pitch are known
    """

    def __init__(self, camera: CameraModel) -> None:
        self.camera = camera
        self.height_m = camera.height_m or 0.0
        self._cos = math.cos(camera.pitch_rad or 0.0)
        self._sin = math.sin(camera.pitch_rad or 0.0)
        self._intrinsic = np.array(
            [[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]], float
        )
        # Rows: the optical axes right, down, ahead in the vehicle's frame.
        self._rotation = np.array(
            [[0, -1, 0], [-self._sin, 0, -self._cos], [self._cos, 0, -self._sin]], float
        )

    def to_optical(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points (N, 3) of the vehicle's frame in the optical frame."""
        return np.asarray((points - (0.0, 0.0, self.height_m)) @ self._rotation.T)

    def pixels(self, optical: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the pixels (N, 2) of points of the optical frame, all ahead of the camera."""
        image = optical @ self._intrinsic.T
        return np.asarray(image[:, :2] / image[:, 2:])

    def polygon(self, points: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """
        Project a convex polygon, cut off where it comes too near to the camera.

        :param points: (N, 3), vehicle's frame
        :return: pixels (M, 2), or None where nothing is left
        """
        optical = self.to_optical(points)
        is_ahead = optical[:, 2] >= NEAR_M
        if not is_ahead.all():
            if not is_ahead.any():
                return None
            optical = _cut(optical)
        return self.pixels(optical)

    def plane(self, y_m: float) -> NDArray[np.float64]:
        """Return the 3x3 matrix that takes (x, z, 1) on the plane of that y to pixels."""
        columns = self._rotation[:, [0, 2]]
        offset = self._rotation @ np.array([0.0, y_m, -self.height_m])
        return np.asarray(self._intrinsic @ np.column_stack([columns, offset]))

    def ground_rows(self) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
        """
        Return where on the ground the pixels of each image row lie.

        All pixels of a row lie at the same distance ahead, since the camera does not roll.

        :return: first row that shows ground (the image's height where none does); for the rows
            from there on metres ahead, and metres to the right for each pixel right of cx
        """
        camera = self.camera
        down = (np.arange(camera.height, dtype=np.float64) - camera.cy) / camera.fy
        drop = self._sin + down * self._cos
        first = int(np.searchsorted(drop, 1e-6))
        scale = np.asarray(self.height_m / drop[first:], np.float64)
        return first, scale * (self._cos - down[first:] * self._sin), scale / camera.fx


def _cut(optical: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cut a convex polygon of the optical frame off at the near plane."""
    kept = []
    for start, end in zip(optical, np.roll(optical, -1, axis=0), strict=True):
        if start[2] >= NEAR_M:
            kept.append(start)
        if (start[2] >= NEAR_M) != (end[2] >= NEAR_M):
            kept.append(start + (end - start) * (NEAR_M - start[2]) / (end[2] - start[2]))
    return np.array(kept)
