"""One camera over time: its view is built once, and again only where geometry changes."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.exceptions import InputError
from espnet_ros.planning.geometry.camera import Camera
from espnet_ros.planning.geometry.horizon import Horizon
from espnet_ros.planning.geometry.pitch_estimator import PitchEstimator
from espnet_ros.planning.geometry.pose import CameraPose
from espnet_ros.planning.grid import UNKNOWN
from espnet_ros.planning.ground_scan import GroundScan
from espnet_ros.planning.view import GroundView, ViewRules
import numpy as np
from numpy.typing import NDArray

_SAME_M = 1e-3
_SAME_RAD = 1e-4


@dataclass(frozen=True, eq=False)
class Observation:
    """
    What one mask says.

    :param scan: along the view's bearings
    :param labels: uint8, (H, W), the mask
    """

    view: GroundView
    scan: GroundScan
    labels: NDArray[np.uint8]


class GroundObserver:
    """
    Reads the masks of one camera, whose calibration and pose may change.

    :ivar wrong_share: see :meth:`Horizon.wrong_share`; of the mask checked last
    :ivar known_share: of the ground within reach, what the last mask tells, 0 to 1
    """

    def __init__(self, rules: ViewRules, *, correct_pitch: bool) -> None:
        self.rules = rules
        # Grass grows on hills too: only the best ground is level.
        cost = rules.costs.cost
        self._road = cost == cost[cost >= 0].min()
        self._correct_pitch = correct_pitch
        self._level: PitchEstimator | None = None
        self._mount: CameraPose | None = None
        self._horizon: tuple[GroundView, Horizon] | None = None
        self.view: GroundView | None = None
        self.wrong_share = 0.0
        self.known_share = 0.0

    @property
    def pitch_correction_rad(self) -> float:
        """Return how much farther the camera points down than its mount says."""
        return self._level.correction_rad if self._level else 0.0

    def observe(
        self,
        camera: Camera,
        mount: CameraPose,
        labels: NDArray[np.uint8],
        confidence: NDArray[np.uint8] | None = None,
    ) -> Observation:
        """
        Read a mask.

        :param camera: of the mask's size
        :param labels: uint8, (H, W), class ids
        :param confidence: uint8, (H, W), or None
        :raises InputError: the camera sees no ground, or a size is not that of the camera
        """
        pose = mount
        if self._correct_pitch:
            pose = self._leveled(camera, mount, labels)
        view = self.view
        if view is None or camera != view.camera or not _is_same(view.pose, pose):
            self.view = None
            view = self.view = GroundView(camera, pose, self.rules)
        scan = view.read(labels, confidence)
        self.known_share = np.count_nonzero(scan.cost != UNKNOWN) / scan.cost.size
        return Observation(view, scan, labels)

    def check_horizon(self, seen: Observation, most_wrong: float) -> None:
        """
        Check that sky lies above the horizon and road below it.

        :param most_wrong: share of them that may lie on the other side
        :raises InputError: much does not, so that the camera is mounted otherwise
        """
        if self._horizon is None or self._horizon[0] is not seen.view:
            view, sky = seen.view, self.rules.costs.sky
            self._horizon = view, Horizon(view.camera, view.pose, self._road, sky)
        self.wrong_share = self._horizon[1].wrong_share(seen.labels)
        if self.wrong_share > most_wrong:
            raise InputError(
                f'camera pose: expected road below the horizon and sky above it, found '
                f'{100 * self.wrong_share:.0f} % of them on the other side: the camera points '
                'elsewhere than TF or mount.* says, is upside down, or its image is turned '
                '(max_horizon_conflict)'
            )

    def _leveled(self, camera: Camera, mount: CameraPose, labels: NDArray[np.uint8]) -> CameraPose:
        if (
            self._level is None
            or self._mount is None
            or camera != self._level.camera
            or not _is_same(self._mount, mount)
        ):
            self._level = PitchEstimator(camera, mount, self._road, self.rules.costs.sky)
            self._mount = mount
        return mount.pitched(self._level.update(labels))


def _is_same(first: CameraPose, second: CameraPose) -> bool:
    return first.is_near(second, _SAME_M, _SAME_RAD)
