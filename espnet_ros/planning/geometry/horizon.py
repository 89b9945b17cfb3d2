"""Whether a mask and the pose of its camera fit: sky lies above the horizon and road below it."""

from __future__ import annotations

import math

from espnet_ros.planning.geometry.camera import Camera
from espnet_ros.planning.geometry.pose import CameraPose
import numpy as np
from numpy.typing import NDArray

_COLUMNS = 120  # that are looked at
_HILL_RAD = math.radians(3.0)
_LEAST_SHARE = 0.05
"""Of an image: less of road and sky says little, as a mistake of the network may be all of it."""


class Horizon:
    """
    Counts what lies on the wrong side of the horizon.

    :param camera: of the masks' size
    :param road: bool, (256,), which class ids are road, and level
    :param sky: bool, (256,), which class ids are sky
    """

    def __init__(
        self, camera: Camera, pose: CameraPose, road: NDArray[np.bool_], sky: NDArray[np.bool_]
    ) -> None:
        height, width = camera.size
        self._stride = max(1, width // _COLUMNS)
        columns, rows = (np.arange(0, end, self._stride) for end in (width, height))
        u, v = np.meshgrid(columns, rows)
        rays = camera.rays(np.stack([u, v], axis=-1).astype(float)) @ pose.matrix.T
        limit = math.sin(_HILL_RAD)
        self._above, self._below = rays[..., 2] > limit, rays[..., 2] < -limit
        self._road, self._sky = road, sky

    def wrong_share(self, labels: NDArray[np.uint8]) -> float:
        """
        Return the share of road and sky that its side of the horizon contradicts, 0 to 1.

        Hills make road rise and sky sink by some degrees, which does not count. Where there is
        little of both, it is the share of a twentieth of the image.

        :param labels: uint8, (H, W), class ids
        """
        some = labels[:: self._stride, :: self._stride]
        road, sky = self._road[some], self._sky[some]
        wrong = int(np.count_nonzero((road & self._above) | (sky & self._below)))
        seen = int(np.count_nonzero(road | sky))
        return wrong / max(1.0, _LEAST_SHARE * some.size, seen)
