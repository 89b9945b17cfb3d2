"""From masks to maps, ranges, outlines and clouds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
import time

from espnet_ros.config import DiagnosticsSettings, FreeSpaceSettings
from espnet_ros.nodes.free_space.maps import MapMaker
from espnet_ros.nodes.free_space.messages import (
    make_obstacles,
    make_points,
    make_polygon,
    make_scan,
)
from espnet_ros.nodes.free_space.outputs import FreeSpaceOutputs, OBSTACLES, OUTLINE, SCAN
from espnet_ros.nodes.free_space.poses import PoseSource
from espnet_ros.nodes.free_space.sights import Sight, Sights
from espnet_ros.nodes.free_space.stream import CameraStream
from espnet_ros.nodes.free_space.synchronization.ages import Ages
from espnet_ros.nodes.free_space.synchronization.camera_input import CameraInput
from espnet_ros.nodes.ros.messages.stamps import NS_PER_S
from espnet_ros.nodes.ros.topics import output_topic
from espnet_ros.planning.contacts import find_contacts, join_contacts
from espnet_ros.planning.grid import GridShape, SweepShape
from espnet_ros.planning.sweep import Sweep
from sensor_msgs.msg import Image
from std_msgs.msg import Header

_BUSY_S = 0.05


def make_shapes(settings: FreeSpaceSettings) -> tuple[GridShape, SweepShape]:
    """
    Return the map and the bearings.

    :raises ConfigError: the settings do not fit each other
    """
    grid, scan = settings.grid, settings.scan
    return (
        GridShape(grid.resolution_m, (grid.x_min_m, grid.x_max_m), (grid.y_min_m, grid.y_max_m)),
        SweepShape(
            (scan.angle_min_rad, scan.angle_max_rad),
            scan.angle_increment_rad,
            (scan.range_min_m, scan.range_max_m),
            grid.resolution_m / 2,
        ),
    )


class FreeSpacePipeline:
    """
    Processes masks and publishes what planners take; used from one thread at a time.

    :param tell: is called with camera and reason of every mask that is dropped for one
    :raises ConfigError: the settings do not fit each other
    """

    def __init__(
        self,
        inputs: Mapping[str, CameraInput],
        poses: PoseSource,
        ages: Ages,
        outputs: FreeSpaceOutputs,
        *,
        settings: Callable[[], FreeSpaceSettings],
        tell: Callable[[str, str], None],
    ) -> None:
        self._settings = settings
        self._seeing: FreeSpaceSettings | None = None
        self._poses = poses
        self._ages = ages
        self._outputs = outputs
        self._sights = Sights(ages)
        self._last_ns: int | None = None
        self.maps = MapMaker(outputs.costmap, poses, ages, settings)
        self.streams = {
            name: CameraStream(
                source, poses, ages, settings, partial(_dropped, self._sights, tell, name)
            )
            for name, source in inputs.items()
        }
        self.settings_changed()

    @property
    def is_waiting(self) -> bool:
        """Return whether something waits, so that :meth:`advance` is to be called soon."""
        return self.maps.is_waiting or any(s.is_waiting for s in self.streams.values())

    def settings_changed(self) -> None:
        """Take the settings of this moment; where they change what is seen, memory ends."""
        seeing = _what_is_seen(self._settings())
        if seeing == self._seeing:
            return
        self._seeing = seeing
        self._grid, self._sweep = make_shapes(seeing)
        for stream in self.streams.values():
            stream.settings_changed(self._grid, self._sweep)
        self._forget()

    def take(self, camera: str, mask: Image) -> None:
        """Take a mask that came; :meth:`advance` works it up."""
        if self.streams[camera].take(mask):
            for stream in self.streams.values():
                if stream is not self.streams[camera]:
                    stream.restart()
            self._poses.forget()
            self._forget()

    def advance(self, camera: str) -> None:
        """Work up the masks of a camera, and the maps, that need not wait, for a short while."""
        began_s = time.monotonic()
        stream = self.streams[camera]
        for sight in stream.sights():
            self._sights.add(sight)
            self._publish(sight)
            now_s = time.monotonic()
            age_s = self._ages.age_s(sight.stamp_ns) if sight.has_age else None
            durations_s = {'latency': now_s - sight.received_s, 'age': age_s}
            stream.source.record.published(now_s, sight.stamp_ns / NS_PER_S or None)
            stream.source.record.took(now_s, durations_s)
            if now_s - began_s > _BUSY_S:
                break
        self.maps.advance()

    def give_up(self, camera: str, reason: str) -> None:
        """Drop all masks of a camera and all maps that wait, after a fault of the program."""
        self.streams[camera].give_up(reason)
        self.maps.restart(self._grid)

    def _publish(self, sight: Sight) -> None:
        """Publish everything that has a reader; a map with memory may follow later."""
        settings, outputs = self._settings(), self._outputs
        header = Header(stamp=sight.header.stamp, frame_id=settings.base_frame)
        ground_z_m, seen, origin = settings.ground_z_m, sight.seen, sight.origin
        around = self._sights.around(sight)
        if outputs.costmap.is_wanted:
            self.maps.add(sight, around)
        if outputs[SCAN].is_wanted or outputs[OUTLINE].is_wanted:
            self._publish_sweep(sight, around, header)
        outputs[OBSTACLES].publish(
            lambda: make_obstacles(
                join_contacts([find_contacts(s.seen.scan) for s in around]), ground_z_m, header
            ),
            origin,
        )
        outputs[output_topic(sight.camera, 'points')].publish(
            lambda: make_points(seen.view.cloud(seen.scan, seen.labels), ground_z_m, header),
            origin,
        )
        self._last_ns = sight.stamp_ns

    def _publish_sweep(self, sight: Sight, around: list[Sight], header: Header) -> None:
        settings, origin = self._settings(), sight.origin
        readings = [other.seen.scan for other in around]
        sweep = Sweep(self._sweep, readings, [other.seen.view.places for other in around])
        last_ns = sight.stamp_ns if self._last_ns is None else self._last_ns
        period_s = max(0, sight.stamp_ns - last_ns) / NS_PER_S
        ranges_m = sweep.ranges(settings.scan.blocking_cost)
        self._outputs[SCAN].publish(
            lambda: make_scan(ranges_m, self._sweep, period_s, header), origin
        )
        self._outputs[OUTLINE].publish(
            lambda: make_polygon(
                sweep.outline(settings.drivable_cost), settings.ground_z_m, header
            ),
            origin,
        )

    def _forget(self) -> None:
        self._sights.clear()
        self._last_ns = None
        self.maps.restart(self._grid)


def _dropped(sights: Sights, tell: Callable[[str, str], None], camera: str, reason: str) -> None:
    """Forget what a camera saw before a mask that cannot be used, and tell why it cannot."""
    sights.forget(camera)
    tell(camera, reason)


def _what_is_seen(settings: FreeSpaceSettings) -> FreeSpaceSettings:
    """Return the settings without those that change nothing of what is seen."""
    return replace(
        settings,
        diagnostics=DiagnosticsSettings(),
        max_age_ms=0.0,
        max_horizon_conflict=1.0,
        drivable_cost=0,
    )
