"""The pitch of a camera from what it sees: road lies below the horizon and sky above it."""

from __future__ import annotations

import math

from espnet_ros.planning.geometry.camera import Camera, check_size
from espnet_ros.planning.geometry.pose import CameraPose
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_LEAST_COLUMNS = 8
_SHARE = 95.0
_LARGEST_RAD = math.radians(5.0)
_SMOOTHING = 0.3
_STEP_RAD = math.radians(0.1)


class PitchEstimator:
    """
    Finds how far the pitch of a camera is off.

    Flat ground that is seen above the horizon, or sky below it, proves the pitch wrong. The
    correction is the smallest one that puts both where they belong. It is smoothed, limited,
    and moves in steps, so that what is computed once for a pose is not computed again for
    every image.

    :param camera: of the mask's size
    :param pose: how it is mounted when it stands still
    :param ground: bool, (256,), which class ids are road, and level
    :param sky: bool, (256,), which class ids are sky
    """

    def __init__(
        self,
        camera: Camera,
        pose: CameraPose,
        ground: NDArray[np.bool_],
        sky: NDArray[np.bool_],
    ) -> None:
        self.camera = camera
        self._ground = ground
        self._sky = sky
        self._smooth_rad = 0.0
        self.correction_rad = 0.0
        height, width = camera.size
        u, v = np.meshgrid(np.arange(width), np.arange(height))
        rays = camera.rays(np.stack([u, v], axis=-1).astype(float)) @ pose.matrix.T
        heading = pose.heading_rad
        ahead = rays[..., 0] * math.cos(heading) + rays[..., 1] * math.sin(heading)
        # Pitch turns what lies to the side less: only its part ahead counts.
        with np.errstate(invalid='ignore'):
            self._rise_rad = np.where(ahead > 0, np.arctan2(rays[..., 2], ahead), np.nan)
        self._half_pixel_rad = camera.pixel_angle_rad / 2

    def update(self, labels: NDArray[np.uint8]) -> float:
        """
        Take a mask.

        :param labels: uint8, (H, W), class ids
        :return: how much farther the camera points down than its pose says, radians
        :raises InputError: the mask's size is not that of the camera
        """
        check_size(labels, self.camera.size, 'mask')
        ground_top = self._edge_rise(self._ground[labels], upper=True)
        sky_bottom = self._edge_rise(self._sky[labels], upper=False)
        low = -math.inf if ground_top is None else ground_top + self._half_pixel_rad
        high = math.inf if sky_bottom is None else sky_bottom - self._half_pixel_rad
        if low == -math.inf and high == math.inf:
            return self.correction_rad
        # Where the two contradict each other, their middle is the least wrong.
        found = 0.5 * (low + high) if low > high else min(max(0.0, low), high)
        found = min(max(found, -_LARGEST_RAD), _LARGEST_RAD)
        self._smooth_rad += _SMOOTHING * (found - self._smooth_rad)
        if abs(self._smooth_rad - self.correction_rad) > _STEP_RAD:
            self.correction_rad = self._smooth_rad
        return self.correction_rad

    def _edge_rise(self, chosen: NDArray[np.bool_], *, upper: bool) -> float | None:
        """
        Return the angle over the nominal horizon of the chosen area's edge, or None.

        In each column the area begins at its lowest pixel (the highest one where the lower
        edge is wanted) and ends at the first gap, so that specks elsewhere do not count.
        """
        columns = np.flatnonzero(chosen.any(axis=0))
        if columns.size < _LEAST_COLUMNS:
            return None
        part = chosen[::-1, columns] if upper else chosen[:, columns]
        start = part.argmax(axis=0)
        ended = ~part & (np.arange(len(part))[:, None] > start)
        last = np.where(ended.any(axis=0), ended.argmax(axis=0), len(part)) - 1
        rises = self._rise_rad[len(part) - 1 - last if upper else last, columns]
        rises = rises[~np.isnan(rises)]
        if rises.size < _LEAST_COLUMNS:
            return None
        return float(np.percentile(rises, _SHARE if upper else 100.0 - _SHARE))
