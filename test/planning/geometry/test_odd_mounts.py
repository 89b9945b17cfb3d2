"""Mounts and lenses at the limits: very wide, backwards, rolled over, far too near or far."""

from __future__ import annotations

from dataclasses import replace
import math

from espnet_ros.planning.geometry.pose import mounted_pose
from espnet_ros.planning.grid import GridShape, SweepShape
from espnet_ros.planning.view import GroundView
import numpy as np
import pytest

from ..scenes import Box, iou, make_test_camera, ROAD, Road, RULES, visible

AROUND = replace(
    RULES,
    grid=GridShape(0.1, (-6.0, 6.0), (-6.0, 6.0)),
    sweep=SweepShape((-math.pi, math.pi), 0.02, (0.3, 6.0), 0.05),
)
SCENE = Road((Box('car', 4.0, 1.0, 1.5, 1.5, 1.0), Box('car', -4.0, -2.0, 1.5, 1.5, 1.0)), 3.0)


@pytest.mark.parametrize(
    ('focal', 'mount'),
    [
        (300.0, {'height_m': 1.5, 'pitch_rad': 0.5}),
        (300.0, {'height_m': 1.5, 'pitch_rad': 0.5, 'yaw_rad': math.pi}),
        (300.0, {'height_m': 1.5, 'pitch_rad': 0.3, 'yaw_rad': -3.0, 'roll_rad': math.pi}),
        (300.0, {'height_m': 3.0, 'pitch_rad': 1.4, 'x_m': -1.0}),
        (500.0, {'height_m': 1.5, 'pitch_rad': 0.4, 'roll_rad': math.pi / 2}),
    ],
)
def test_a_fisheye_of_half_the_world_sees_the_road_wherever_it_points(focal, mount):
    camera = make_test_camera('equidistant', focal=(focal, focal))
    pose = mounted_pose(**mount)
    view = GroundView(camera, pose, AROUND)
    cost = view.grid_cost(view.read(SCENE.render(camera, pose)))
    x, y = np.moveaxis(AROUND.grid.centers, -1, 0)
    seen = visible(AROUND.grid.centers, camera, pose, SCENE.boxes)
    assert seen.mean() > 0.1
    assert iou((cost == 0) & seen, (SCENE.above(x, y) == ROAD) & seen) >= 0.97


def test_a_camera_that_sees_only_far_ground_leaves_the_near_unknown():
    camera = make_test_camera(focal=(6000.0, 6000.0))
    pose = mounted_pose(1.5, pitch_rad=0.06)
    view = GroundView(camera, pose, RULES)
    scan = view.read(Road().render(camera, pose))
    assert view.polar.near_edges_m[0] > 12
    cost, x = view.grid_cost(scan), RULES.grid.centers[..., 0]
    assert (cost[x < 12] == -1).all()
    assert (cost[x > 17] == 0).any()


def test_a_map_that_the_camera_does_not_see_is_unknown():
    behind = replace(RULES, grid=GridShape(0.1, (-10.0, -2.0), (-4.0, 4.0)))
    camera, pose = make_test_camera(), mounted_pose(1.5, pitch_rad=0.1)
    view = GroundView(camera, pose, behind)
    assert (view.grid_cost(view.read(Road().render(camera, pose))) == -1).all()
