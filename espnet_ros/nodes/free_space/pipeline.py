"""From a mask to maps, ranges, outlines and clouds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from espnet_ros.config import FreeSpaceSettings
from espnet_ros.exceptions import InputError
from espnet_ros.labels import LabelSet, load_label_set, parse_grouping
from espnet_ros.nodes.conversions import mask_values
from espnet_ros.nodes.free_space.input import MaskFrame
from espnet_ros.nodes.free_space.messages import (
    calibration_of,
    make_costmap,
    make_obstacles,
    make_points,
    make_polygon,
    make_scan,
)
from espnet_ros.nodes.free_space.outputs import FreeSpaceOutputs
from espnet_ros.nodes.free_space.poses import PoseSource
from espnet_ros.nodes.topics import output_topic
from espnet_ros.planning.camera import Camera, make_camera
from espnet_ros.planning.contacts import find_contacts, join_contacts
from espnet_ros.planning.costs import make_cost_table
from espnet_ros.planning.fusion import FusedGrid, FusionRules
from espnet_ros.planning.grid import GridShape, SweepShape
from espnet_ros.planning.observer import GroundObserver, Observation
from espnet_ros.planning.sweep import merge_costs, Sweep
from espnet_ros.planning.view import ViewRules
import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from std_msgs.msg import Header


def read_label_set(settings: FreeSpaceSettings) -> LabelSet:
    """
    Return what the ids of the masks mean, groups applied.

    :raises ConfigError: there is no such set, or it has no such groups
    """
    label_set = load_label_set(settings.label_set)
    grouping = parse_grouping(settings.label_groups, label_set)
    return label_set if grouping is None else label_set.grouped(grouping)


def make_rules(settings: FreeSpaceSettings, label_set: LabelSet) -> ViewRules:
    """
    Return how masks are read.

    :raises ConfigError: the settings do not fit each other
    """
    grid, scan = settings.grid, settings.scan
    return ViewRules(
        GridShape(grid.resolution_m, (grid.x_min_m, grid.x_max_m), (grid.y_min_m, grid.y_max_m)),
        SweepShape(
            (scan.angle_min_rad, scan.angle_max_rad),
            scan.angle_increment_rad,
            (scan.range_min_m, scan.range_max_m),
            grid.resolution_m / 2,
        ),
        make_cost_table(label_set),
        settings.obstacle_depth_m,
        settings.bridged_gap_px,
    )


@dataclass(frozen=True, eq=False)
class _Sight:
    """What one camera saw last."""

    seen: Observation
    cost: NDArray[np.int8]
    stamp_s: float


class FreeSpacePipeline:
    """
    Works masks up and publishes what planners take; used from one thread at a time.

    :param node: whose clock and logger it uses
    :param settings: returns the settings of this moment
    :param poses: where cameras and robot are
    :param outputs: where results go
    :raises ConfigError: the settings do not fit each other
    """

    def __init__(
        self,
        node: Node,
        settings: Callable[[], FreeSpaceSettings],
        poses: PoseSource,
        outputs: FreeSpaceOutputs,
    ) -> None:
        self._node = node
        self._settings = settings
        self._poses = poses
        self._outputs = outputs
        self._label_set = read_label_set(settings())
        self._cameras: dict[str, tuple[Any, Camera]] = {}
        self._last_stamp_s: float | None = None
        self.drops: Counter[tuple[str, str]] = Counter()
        self.fusion_state = 'off'
        self.settings_changed()

    def settings_changed(self) -> None:
        """Take the settings of this moment; what was seen before is forgotten."""
        settings = self._settings()
        self._rules = make_rules(settings, self._label_set)
        self.observers = {
            name: GroundObserver(
                self._rules, self._label_set, correct_pitch=settings.correct_pitch
            )
            for name in settings.cameras
        }
        self._sights: dict[str, _Sight] = {}
        fusion_rules = FusionRules(settings.scan.blocking_cost, settings.fusion.decay_s)
        self._fused = FusedGrid(self._rules.grid, fusion_rules)

    def process(self, frame: MaskFrame) -> tuple[str, str] | None:
        """
        Work a mask up.

        :return: None where it was published, else what is wrong: ``age``, ``labels``,
            ``calibration``, ``pose`` or ``mask``, and why
        """
        kind = 'age'
        header = frame.mask.header
        try:
            self._check_age(header.stamp)
            kind = 'labels'
            self._check_names(frame)
            kind = 'mask'
            labels = mask_values(frame.mask)
            confidence = None if frame.confidence is None else mask_values(frame.confidence)
            kind = 'calibration'
            camera = self._camera(frame)
            kind = 'pose'
            pose = self._poses.camera_pose(frame.camera, header.frame_id, header.stamp)
            observer = self.observers[frame.camera]
            seen = observer.observe(camera, pose, labels, confidence)
        except InputError as error:
            self._sights.pop(frame.camera, None)
            self.drops[frame.camera, kind] += 1
            return kind, str(error)
        stamp_s = seconds(header.stamp)
        self._sights[frame.camera] = _Sight(seen, seen.view.grid_cost(seen.reading), stamp_s)
        self._publish(frame, stamp_s)
        return None

    def age_s(self, stamp: Any) -> float:
        """Return the time since a stamp, by the node's clock."""
        return float(self._node.get_clock().now().nanoseconds * 1e-9 - seconds(stamp))

    def _check_age(self, stamp: Any) -> None:
        limit_s = self._settings().max_age_ms / 1e3
        age_s = self.age_s(stamp)
        if limit_s and abs(age_s) > limit_s:
            raise InputError(
                f'mask: expected an age of at most {limit_s * 1e3:g} ms (max_age_ms), found '
                f'{age_s * 1e3:.0f} ms; the segmentation is too slow, or its clock and that of '
                'this node differ (use_sim_time)'
            )

    def _check_names(self, frame: MaskFrame) -> None:
        """Refuse masks of other classes, whose costs would be those of something else."""
        known = dict(enumerate(self._label_set.names))
        for class_id, name in (frame.names or {}).items():
            expected = known.get(class_id, 'no class')
            if expected != name:
                raise InputError(
                    f'label_info: expected {expected!r} as class {class_id}, as label set '
                    f'{self._label_set.name!r} has it, found {name!r}; set label_set and '
                    'label_groups to those of the masks'
                )

    def _camera(self, frame: MaskFrame) -> Camera:
        info, mask = frame.info, frame.mask
        if info is None:
            raise InputError(
                'camera_info: expected one, found none yet; metres need the calibration of the '
                'camera'
            )
        frames = (info.header.frame_id, mask.header.frame_id)
        if frames[0] != frames[1]:
            raise InputError(
                f'camera_info: expected the frame of the mask, {frames[1]!r}, found '
                f'{frames[0]!r}: it is of another camera'
            )
        size = (int(mask.height), int(mask.width))
        key = (calibration_of(info), size, self._settings().image_rectified)
        known = self._cameras.get(frame.camera)
        if known is None or known[0] != key:
            camera = make_camera(key[0], rectified=key[2]).resized(size)
            known = self._cameras[frame.camera] = (key, camera)
        return known[1]

    def _publish(self, frame: MaskFrame, stamp_s: float) -> None:
        settings, outputs = self._settings(), self._outputs
        header = Header(stamp=frame.mask.header.stamp, frame_id=settings.base_frame)
        ground_z_m = settings.ground_z_m
        limit_s = settings.max_age_ms / 1e3 or float('inf')
        current = [s for s in self._sights.values() if abs(stamp_s - s.stamp_s) <= limit_s]
        readings = [sight.seen.reading for sight in current]
        if outputs.is_wanted('~/costmap'):
            cost = self._map(frame, current, stamp_s)
            grid = self._rules.grid
            outputs.publish('~/costmap', lambda: make_costmap(cost, grid, ground_z_m, header))
        if outputs.is_wanted('~/scan') or outputs.is_wanted('~/free_space'):
            shape = self._rules.sweep
            sweep = Sweep(shape, readings, [sight.seen.view.places for sight in current])
            period_s = max(0.0, stamp_s - (self._last_stamp_s or stamp_s))
            ranges = sweep.ranges(settings.scan.blocking_cost)
            outputs.publish('~/scan', lambda: make_scan(ranges, shape, period_s, header))
            outputs.publish(
                '~/free_space',
                lambda: make_polygon(sweep.outline(settings.drivable_cost), ground_z_m, header),
            )
        outputs.publish(
            '~/obstacles',
            lambda: make_obstacles(
                join_contacts([find_contacts(r) for r in readings]), ground_z_m, header
            ),
        )
        seen = self._sights[frame.camera].seen
        outputs.publish(
            output_topic(frame.camera, 'points'),
            lambda: make_points(seen.view.cloud(seen.reading, seen.labels), ground_z_m, header),
        )
        self._last_stamp_s = stamp_s

    def _map(self, frame: MaskFrame, current: list[_Sight], stamp_s: float) -> NDArray[np.int8]:
        """Return the map with what it remembers, where there is odometry, else what is seen."""
        odometry = None
        self.fusion_state = 'off'
        if self._settings().fusion.enabled:
            try:
                odometry = self._poses.odometry(frame.mask.header.stamp)
                self.fusion_state = 'no odometry' if odometry is None else 'on'
            except InputError as error:
                self.fusion_state = str(error)
        if odometry is None:
            return merge_costs([sight.cost for sight in current])
        sight = self._sights[frame.camera]
        sureness = sight.seen.view.grid_sureness(sight.seen.reading)
        self._fused.add(sight.cost, odometry, stamp_s, sureness)
        return self._fused.cost(odometry)


def seconds(stamp: Any) -> float:
    """Return a stamp in seconds."""
    return float(stamp.sec + stamp.nanosec * 1e-9)
