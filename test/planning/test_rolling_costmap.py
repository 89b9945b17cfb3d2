"""A map that remembers what it saw while the robot drives, and forgets in time."""

from __future__ import annotations

import math

from espnet_ros.planning.geometry.pose import transform_matrix
from espnet_ros.planning.grid import GridShape, UNKNOWN
from espnet_ros.planning.rolling_costmap import CostmapRules, RollingCostmap
import numpy as np
import pytest

SHAPE = GridShape(0.5, (0.0, 10.0), (-5.0, 5.0))


def odometry(x=0.0, y=0.0, yaw=0.0):
    """Return the robot's place as a 4x4 matrix."""
    matrix = np.eye(4)
    matrix[:2, :2] = [[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]]
    matrix[:2, 3] = x, y
    return matrix


def empty(value=UNKNOWN):
    return np.full(SHAPE.shape, value, np.int8)


def test_one_sure_look_is_shown_as_it_is():
    grid = RollingCostmap(SHAPE, CostmapRules())
    cost = empty()
    cost[3, 4], cost[5, 6], cost[7, 8] = 0, 40, 100
    grid.update(cost, odometry(), 1.0)
    assert np.array_equal(grid.cost(odometry()), cost)


@pytest.mark.parametrize('drive', [(2.0, 0.0, 0.0), (3.0, -1.0, math.pi / 2), (40.5, 7.0, 0.0)])
def test_an_obstacle_stays_in_its_place_while_the_robot_moves(drive):
    grid = RollingCostmap(SHAPE, CostmapRules())
    start = odometry(100.0, -50.0, 0.3)
    rows, columns = SHAPE.cells(np.array([6.2, 1.3]))
    cost = empty()
    cost[rows, columns] = 100
    grid.update(cost, start, 1.0)
    moved = start @ odometry(*drive)
    seen_again = grid.cost(moved)
    place = np.linalg.inv(odometry(*drive)) @ (6.25, 1.25, 0, 1)
    row, column = SHAPE.cells(place[:2])
    if 0 <= row < SHAPE.shape[0] and 0 <= column < SHAPE.shape[1]:
        around = seen_again[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        assert (around == 100).any()
    assert (seen_again == 100).sum() <= 4
    assert (seen_again == 0).sum() == 0


@pytest.mark.parametrize('height_m', [0.0, 30.0, 1000.0])
def test_a_robot_that_leans_far_above_the_origin_of_its_odometry_keeps_its_map(height_m):
    lean = transform_matrix((100.0, -50.0, height_m), (0.03, 0.05, 0.1, 0.99))
    grid = RollingCostmap(SHAPE, CostmapRules())
    cost = empty(0)
    cost[3, 4], cost[5, 6] = 40, 100
    grid.update(cost, lean, 1.0)
    shown = grid.cost(lean)
    assert shown[5, 6] == 100
    assert (shown == cost).mean() > 0.99, 'cells of a turned raster differ at most by rounding'


def test_what_was_left_behind_is_unknown_when_the_robot_returns():
    grid = RollingCostmap(SHAPE, CostmapRules(decay_s=1e6))
    grid.update(empty(0), odometry(), 1.0)
    grid.update(empty(), odometry(200.0), 2.0)
    assert (grid.cost(odometry(200.0)) == UNKNOWN).all()
    grid.update(empty(), odometry(), 3.0)
    assert (grid.cost(odometry()) == UNKNOWN).all()


def test_what_is_not_seen_again_becomes_unknown():
    grid = RollingCostmap(SHAPE, CostmapRules(decay_s=1.0))
    cost = empty(0)
    cost[2, 2] = 100
    grid.update(cost, odometry(), 0.0)
    grid.update(empty(), odometry(), 0.5)
    assert grid.cost(odometry())[2, 2] == 100
    grid.update(empty(), odometry(), 5.0)
    assert (grid.cost(odometry()) == UNKNOWN).all()


def test_looks_outvote_a_mistake_and_unsure_ones_count_less():
    grid = RollingCostmap(SHAPE, CostmapRules(decay_s=1e6))
    for time_s in range(3):
        grid.update(empty(0), odometry(), float(time_s))
    grid.update(empty(100), odometry(), 3.0)
    assert (grid.cost(odometry()) == 0).all()
    for time_s in (4.0, 5.0):
        grid.update(empty(100), odometry(), time_s)
    assert (grid.cost(odometry()) == 100).all()
    confidence = np.full(SHAPE.shape, 0.1, np.float32)
    fresh = RollingCostmap(SHAPE, CostmapRules())
    fresh.update(empty(100), odometry(), 0.0, confidence)
    assert (fresh.cost(odometry()) == UNKNOWN).all()


def test_ground_behind_an_obstacle_that_left_has_its_own_cost():
    grid = RollingCostmap(SHAPE, CostmapRules(decay_s=1e6))
    for time_s, cost in enumerate((100, 40, 40, 40)):
        grid.update(empty(cost), odometry(), float(time_s))
    assert (grid.cost(odometry()) == 40).all()


def test_a_clock_that_jumps_back_starts_anew():
    grid = RollingCostmap(SHAPE, CostmapRules())
    grid.update(empty(100), odometry(), 100.0)
    grid.update(empty(), odometry(), 3.0)
    assert (grid.cost(odometry()) == UNKNOWN).all()


def test_a_camera_that_is_a_little_late_still_counts():
    grid = RollingCostmap(SHAPE, CostmapRules())
    left, right = empty(), empty()
    left[:10], right[10:] = 0, 100
    grid.update(left, odometry(), 1.0)
    grid.update(right, odometry(), 0.97)
    assert np.array_equal(grid.cost(odometry()), np.maximum(left, right))
