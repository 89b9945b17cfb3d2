"""One camera's view of the ground: everything that is computed once for its pose."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from espnet_ros.planning.cloud import PixelCloud
from espnet_ros.planning.costs import CostTable
from espnet_ros.planning.geometry.camera import Camera
from espnet_ros.planning.geometry.pose import CameraPose
from espnet_ros.planning.grid import GridShape, SweepShape
from espnet_ros.planning.ground_scan import GroundScan, GroundScanner
from espnet_ros.planning.polar_grid import make_polar_grid, PolarGrid
from espnet_ros.planning.sweep import sample
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ViewRules:
    """
    How a mask is read.

    :param depth_m: how deep what stands is at least
    :param bridged_px: see :class:`GroundScanner`
    """

    grid: GridShape
    sweep: SweepShape
    costs: CostTable
    depth_m: float = 0.5
    bridged_px: int = 2


class GroundView:
    """
    Reads the masks of one camera.

    :param camera: of the masks' size
    :raises InputError: the camera sees no ground
    """

    def __init__(self, camera: Camera, pose: CameraPose, rules: ViewRules) -> None:
        self.camera = camera
        self.pose = pose
        self.rules = rules
        reach = _reach_m(rules, pose)
        self.polar: PolarGrid = make_polar_grid(camera, pose, reach, rules.grid.resolution_m / 2)
        self._reader = GroundScanner(
            self.polar, camera.size, rules.costs, rules.depth_m, rules.bridged_px
        )
        self._cells = self.polar.index_of(rules.grid.centers)
        self.places = self.polar.index_of(rules.sweep.places)

    def read(
        self, labels: NDArray[np.uint8], confidence: NDArray[np.uint8] | None = None
    ) -> GroundScan:
        """Read a mask; see :meth:`GroundScanner.read`."""
        return self._reader.read(labels, confidence)

    def grid_cost(self, scan: GroundScan) -> NDArray[np.int8]:
        """Return the map, int8 of the grid's (rows, columns)."""
        return sample(scan.cost, self._cells)

    def grid_confidence(self, scan: GroundScan) -> NDArray[np.float32] | None:
        """Return how sure the map is, float32 0..1; None where the confidence is not known."""
        if scan.confidence is None:
            return None
        padded = np.append(scan.confidence.ravel(), np.uint8(0))
        return np.take(padded, self._cells) * np.float32(1 / 255)

    def cloud(self, scan: GroundScan, labels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the place of every pixel; see :meth:`PixelCloud.points`."""
        return self._cloud.points(scan, self.rules.costs.upright[labels])

    @property
    def sees_all_ranges(self) -> bool:
        """Return whether some bearing sees the ground as far as the sweep goes."""
        inside = self.polar.pixels[:, self.polar.ranges_m < self.rules.sweep.range_m[1]]
        # No place is inside where all the ground that is seen lies beyond the sweep.
        return bool((inside[:, -1:] < self.camera.size[0] * self.camera.size[1]).any())

    @cached_property
    def _cloud(self) -> PixelCloud:
        return PixelCloud(self.camera, self.pose, self.polar, _reach_m(self.rules, self.pose))


def _reach_m(rules: ViewRules, pose: CameraPose) -> float:
    """Return how far from below the camera the map and the sweep go."""
    corners = np.array([(x, y) for x in rules.grid.x_m for y in rules.grid.y_m])
    foot = np.array(pose.position_m[:2])
    return float(
        max(
            np.hypot(*(corners - foot).T).max(),
            rules.sweep.range_m[1] + np.hypot(*foot),
        )
    )
