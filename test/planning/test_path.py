"""The small planner of the demo keeps to the road and off what stands."""

from __future__ import annotations

from espnet_ros.planning.grid import GridShape, UNKNOWN
from espnet_ros.planning.path import inflate, plan_path
import numpy as np
import pytest

SHAPE = GridShape(0.25, (0.0, 15.0), (-6.0, 6.0))
X, Y = np.moveaxis(SHAPE.centers, -1, 0)


def road(half_m=3.0):
    return np.where(np.abs(Y) < half_m, 0, 40).astype(np.int8)


def costs_along(path, cost):
    return cost[SHAPE.cells(path)]


def test_it_goes_straight_where_nothing_is():
    path = plan_path(road(), SHAPE, (0.0, 0.0), 14.0)
    assert path[0] == pytest.approx([0.125, 0.0], abs=0.2)
    assert path[-1][0] >= 13.5
    assert np.abs(path[:, 1]).max() < 0.5


def test_it_drives_around_an_obstacle_and_stays_on_the_road():
    cost = road()
    cost[(np.abs(X - 7) < 1) & (Y > -1.5) & (Y < 3.0)] = 100
    wide = inflate(cost, 4)
    path = plan_path(wide, SHAPE, (0.0, 0.0), 14.0)
    assert (costs_along(path, cost) == 0).all()
    beside = path[np.abs(path[:, 0] - 7) < 1]
    assert (beside[:, 1] < -2.2).all()


def test_it_takes_the_pavement_only_where_the_road_is_blocked():
    cost = road()
    cost[(np.abs(X - 7) < 1) & (np.abs(Y) < 3.0)] = 100
    path = plan_path(cost, SHAPE, (0.0, 0.0), 14.0)
    assert 0 < (costs_along(path, cost) == 40).mean() < 0.6
    assert (costs_along(path, cost) < 100).all()


def test_it_ends_before_what_is_unknown():
    cost = road()
    cost[X > 8] = UNKNOWN
    path = plan_path(cost, SHAPE, (0.0, 0.0), 14.0)
    assert path[:, 0].max() <= 8.0
    assert plan_path(np.full_like(cost, UNKNOWN), SHAPE, (0.0, 0.0), 14.0) is None


@pytest.mark.parametrize('radius', [0, 1, 3])
def test_obstacles_grow_by_the_radius(radius):
    cost = np.zeros(SHAPE.shape, np.int8)
    cost[20, 30] = 100
    row, column = np.nonzero(inflate(cost, radius) == 100)
    expected = {
        (20 + r, 30 + c)
        for r in range(-radius, radius + 1)
        for c in range(-radius, radius + 1)
        if r * r + c * c <= radius * radius
    }
    assert set(zip(row.tolist(), column.tolist(), strict=True)) == expected
