"""The demo's picture shows an image, and the map that was made of that image and no other."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no rclpy')
pytest.importorskip('nav_msgs', reason='no nav_msgs')

from cameras import header_at, S
from nav_msgs.msg import OccupancyGrid
from sensor_msgs.msg import LaserScan

from scripts.demo.view import (
    draw_moment,
    measure_free_ahead_m,
    Moment,
    Moments,
    WAITING_LIMIT,
)

OVERLAY = np.zeros((100, 160, 3), np.uint8)
BEARINGS = np.radians(np.arange(-90, 91))


def costmap_at(stamp_ns: int, blocked: tuple[float, float] | None = None) -> OccupancyGrid:
    """Return a free map of 20 m x 20 m, with a block of 2 m x 2 m at a place if wanted."""
    cost = np.zeros((20, 20), np.int8)
    if blocked is not None:
        row, column = round(blocked[1] + 10), round(blocked[0])
        cost[row - 1 : row + 1, column - 1 : column + 1] = 100
    message = OccupancyGrid(header=header_at(stamp_ns), data=cost.ravel().tolist())
    message.info.width = message.info.height = 20
    message.info.resolution = 1.0
    message.info.origin.position.y = -10.0
    return message


def scan_at(stamp_ns: int, ahead_m: float = math.inf) -> LaserScan:
    """Return ranges that are free to the end but straight ahead."""
    ranges = np.full(BEARINGS.size, np.inf, np.float32)
    ranges[90] = ahead_m
    return LaserScan(
        header=header_at(stamp_ns),
        angle_min=-math.pi / 2,
        angle_max=math.pi / 2,
        angle_increment=math.pi / 180,
        range_max=20.0,
        ranges=ranges.tolist(),
    )


def test_what_is_of_different_images_is_never_one_moment():
    moments = Moments()
    moments.take_overlay(1 * S, OVERLAY)
    moments.take_costmap(costmap_at(2 * S))
    moments.take_scan(scan_at(3 * S))
    assert moments.newest is None


def test_a_moment_is_complete_in_whatever_order_its_parts_come():
    moments = Moments()
    moments.take_scan(scan_at(5 * S, 7.0))
    moments.take_costmap(costmap_at(5 * S))
    moments.take_overlay(6 * S, OVERLAY)
    assert moments.newest is None
    moments.take_overlay(5 * S, OVERLAY + 9)
    assert moments.newest is not None
    assert moments.newest.overlay_bgr[0, 0, 0] == 9
    assert moments.newest.scan.header.stamp.sec == moments.newest.costmap.header.stamp.sec == 5


def test_masks_that_never_become_metres_do_not_fill_the_memory():
    moments = Moments()
    for second in range(1, 3 * WAITING_LIMIT):
        moments.take_overlay(second * S, OVERLAY)
    moments.take_costmap(costmap_at(1 * S))
    moments.take_scan(scan_at(1 * S))
    assert moments.newest is None, 'the first overlay was given up long ago'


def test_the_map_is_beside_the_overlay_with_left_to_the_left_and_ahead_up():
    picture = draw_moment(Moment(OVERLAY, costmap_at(S, (15.0, 6.0)), scan_at(S, 10.0)))
    assert picture.shape == (100, 260, 3)
    panel = picture[:, 160:].astype(int)
    red = (panel[..., 2] > 180) & (panel[..., 1] < 80)
    rows, columns = np.nonzero(red)
    assert rows.mean() == pytest.approx(100 * (20 - 15) / 20, abs=4)
    assert columns.mean() == pytest.approx(100 * (10 - 6) / 20, abs=4)
    hit = panel[48:53, 48:53]
    assert ((hit[..., 2] > 200) & (hit[..., 1] > 180)).any(), 'the range 10 m ahead'


def test_how_far_it_is_free_is_read_from_the_ranges():
    assert measure_free_ahead_m(scan_at(S, 7.5)) == pytest.approx(7.5, abs=0.01)
    assert measure_free_ahead_m(scan_at(S)) == 20.0
    assert measure_free_ahead_m(scan_at(S, math.nan)) is None
