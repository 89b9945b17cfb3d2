"""The demo's view from above: the overlay of an image beside the map that was made of it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

import cv2
from espnet_ros.nodes.ros.messages.stamps import stamp_ns
from espnet_ros.processing.birdseye import beside, BirdseyeFrame, draw_distances, draw_points
from nav_msgs.msg import OccupancyGrid
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import LaserScan

from .corridor import free_ahead_m

CORRIDOR_HALF_WIDTH_M = 1.0
WAITING_LIMIT = 16
"""Images whose map or ranges have not come; those of masks that were dropped never do."""

_FREE_BGR = (90, 170, 60)
_BLOCKED_BGR = (50, 50, 220)
_UNKNOWN_BGR = (40, 40, 40)
_HIT_BGR = (0, 220, 255)


@dataclass(frozen=True, eq=False)
class Moment:
    """
    What was made of one image; None where it has not come.

    :param overlay_bgr: uint8, (H, W, 3)
    """

    overlay_bgr: NDArray[np.uint8] | None = None
    costmap: OccupancyGrid | None = None
    scan: LaserScan | None = None

    @property
    def is_complete(self) -> bool:
        return not (self.overlay_bgr is None or self.costmap is None or self.scan is None)


class Moments:
    """
    Brings together what was made of one image, by its stamp.

    :ivar newest: the newest moment of which everything has come, or None
    """

    def __init__(self) -> None:
        self.newest: Moment | None = None
        self._waiting: OrderedDict[int, Moment] = OrderedDict()

    def take_overlay(self, time_ns: int, overlay_bgr: NDArray[np.uint8]) -> None:
        """Take an overlay, uint8, (H, W, 3), of the image of a stamp."""
        self._put(time_ns, replace(self._at(time_ns), overlay_bgr=overlay_bgr))

    def take_costmap(self, costmap: OccupancyGrid) -> None:
        time_ns = stamp_ns(costmap.header.stamp)
        self._put(time_ns, replace(self._at(time_ns), costmap=costmap))

    def take_scan(self, scan: LaserScan) -> None:
        time_ns = stamp_ns(scan.header.stamp)
        self._put(time_ns, replace(self._at(time_ns), scan=scan))

    def _at(self, time_ns: int) -> Moment:
        return self._waiting.pop(time_ns, Moment())

    def _put(self, time_ns: int, moment: Moment) -> None:
        if moment.is_complete:
            self.newest = moment
            return
        self._waiting[time_ns] = moment
        if len(self._waiting) > WAITING_LIMIT:
            self._waiting.popitem(last=False)


def measure_free_ahead_m(scan: LaserScan) -> float | None:
    """Return how far the corridor ahead is free, metres; None where it is not seen."""
    return free_ahead_m(*_polar(scan), scan.range_max, CORRIDOR_HALF_WIDTH_M)


def draw_moment(moment: Moment) -> NDArray[np.uint8]:
    """Return the overlay of a complete moment with the map from above beside it."""
    overlay_bgr, costmap, scan = moment.overlay_bgr, moment.costmap, moment.scan
    assert overlay_bgr is not None and costmap is not None and scan is not None
    info, origin = costmap.info, costmap.info.origin.position
    frame = BirdseyeFrame(
        (origin.x, origin.x + info.width * info.resolution),
        (origin.y, origin.y + info.height * info.resolution),
        overlay_bgr.shape[0],
    )
    panel = _paint_costs(np.array(costmap.data).reshape(info.height, info.width), frame)
    ranges_m, bearings_rad = _polar(scan)
    hits = ranges_m * np.stack([np.cos(bearings_rad), np.sin(bearings_rad)])
    draw_points(panel, frame.pixels(hits[:, np.isfinite(ranges_m)].T), _HIT_BGR)
    draw_distances(panel, frame)
    return beside(overlay_bgr, panel)


def _paint_costs(cost: NDArray[np.int8], frame: BirdseyeFrame) -> NDArray[np.uint8]:
    """
    Return a map of costs as seen from above: green is free, red blocks, dark is unknown.

    :param cost: int8, (rows, columns) of nav_msgs/OccupancyGrid: rows go left, columns ahead
    :param frame: the part of the ground that the map covers
    :return: uint8, (h, w, 3)
    """
    ahead_is_up = np.ascontiguousarray(cost.T[::-1, ::-1])
    share = np.clip(ahead_is_up, 0, 100).astype(np.float32)[..., None] / 100
    free, blocked = (np.array(c, np.float32) for c in (_FREE_BGR, _BLOCKED_BGR))
    panel = np.rint(free + share * (blocked - free)).astype(np.uint8)
    panel[ahead_is_up < 0] = _UNKNOWN_BGR
    size = (frame.width, frame.height)
    return np.asarray(cv2.resize(panel, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def _polar(scan: LaserScan) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ranges of a scan in metres, and their bearings."""
    ranges_m = np.array(scan.ranges, np.float64)
    return ranges_m, scan.angle_min + scan.angle_increment * np.arange(ranges_m.size)
