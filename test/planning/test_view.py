"""Map, ranges, outline and contacts against scenes whose truth is known in metres."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
import math

from espnet_ros.exceptions import ConfigError, InputError
from espnet_ros.labels import LabelSet
from espnet_ros.planning.contacts import find_contacts
from espnet_ros.planning.costs import make_cost_table
from espnet_ros.planning.geometry.pose import mounted_pose
from espnet_ros.planning.grid import GridShape, SweepShape, UNKNOWN
from espnet_ros.planning.sweep import Sweep
from espnet_ros.planning.view import GroundView
import numpy as np
import pytest

from .scenes import (
    Box,
    CAR,
    GRID,
    iou,
    make_test_camera,
    NOTHING,
    PAVEMENT,
    ROAD,
    Road,
    RULES,
    SWEEP,
    visible,
)

SCENE = Road((Box('car', 9.0, 1.5, 4.0, 1.8, 1.5), Box('pedestrian', 5.0, -2.0, 0.6, 0.6, 1.8)))
MOUNTS = [
    {'height_m': 1.4, 'pitch_rad': 0.04},
    {'height_m': 0.8, 'pitch_rad': 0.2, 'roll_rad': 0.06},
    {'height_m': 2.5, 'pitch_rad': 0.12, 'yaw_rad': 0.3, 'x_m': 1.0, 'y_m': -0.5},
]
LENSES = ['pinhole', 'plumb_bob', 'rational', 'equidistant']


@cache
def look(camera, pose, scene=SCENE, rules=RULES):
    view = GroundView(camera, pose, rules)
    scan = view.read(scene.render(camera, pose))
    return view, scan, Sweep(rules.sweep, [scan], [view.places])


@cache
def true_ranges(scene, lowest_cost=100):
    """Return the range to what blocks along each bearing of the sweep, by small steps."""
    ranges = np.arange(SWEEP.range_m[0], SWEEP.range_m[1], 0.005)
    x, y = np.moveaxis(SWEEP.directions[:, None] * ranges[None, :, None], -1, 0)
    blocked = RULES.costs.cost[scene.above(x, y)] >= lowest_cost
    return np.where(blocked.any(axis=1), ranges[blocked.argmax(axis=1)], np.inf)


@pytest.mark.parametrize('mount', MOUNTS)
@pytest.mark.parametrize('lens', LENSES)
def test_the_map_shows_the_drivable_space(lens, mount):
    camera, pose = make_test_camera(lens), mounted_pose(**mount)
    view, scan, _ = look(camera, pose)
    cost = view.grid_cost(scan)
    x, y = np.moveaxis(GRID.centers, -1, 0)
    seen = visible(GRID.centers, camera, pose, SCENE.boxes)
    assert seen.mean() > 0.15
    assert iou((cost == 0) & seen, (SCENE.above(x, y) == ROAD) & seen) >= 0.97
    assert (cost[seen] == UNKNOWN).mean() < 0.01
    # Nothing is made up where nothing is seen: what is free there is a cell's width off.
    hidden_free = (cost == 0) & ~seen
    assert hidden_free.sum() < 0.01 * seen.sum()


@pytest.mark.parametrize('size', [(256, 512), (720, 1280)])
@pytest.mark.parametrize('resolution_m', [0.05, 0.2])
def test_the_map_holds_at_any_resolution(size, resolution_m):
    grid = GridShape(resolution_m, (0.0, 16.0), (-6.0, 6.0))
    camera = make_test_camera(size=size, focal=(size[1] * 0.7,) * 2)
    pose = mounted_pose(1.4, pitch_rad=0.1)
    view, scan, _ = look(camera, pose, rules=replace(RULES, grid=grid))
    cost = view.grid_cost(scan)
    x, y = np.moveaxis(grid.centers, -1, 0)
    seen = visible(grid.centers, camera, pose, SCENE.boxes)
    assert iou((cost == 0) & seen, (SCENE.above(x, y) == ROAD) & seen) >= 0.97


@pytest.mark.parametrize('mount', MOUNTS)
@pytest.mark.parametrize('lens', LENSES)
def test_ranges_are_exact_to_less_than_a_pixel(lens, mount):
    camera, pose = make_test_camera(lens), mounted_pose(**mount)
    _, _, sweep = look(camera, pose)
    ranges, truth = sweep.ranges(100), true_ranges(SCENE)
    both = np.isfinite(ranges) & np.isfinite(truth)
    # What reaches in from outside the image may be nearer than where it is first seen.
    before = SWEEP.directions * np.where(both, truth - 0.05, 0.0)[:, None]
    both &= visible(before, camera, pose, SCENE.boxes)
    assert both.sum() > 10
    footprint = truth[both] ** 2 / pose.height_m * camera.pixel_angle_rad
    error = np.abs(ranges[both] - truth[both])
    assert np.median(error / footprint) < 1
    assert (error < 3 * footprint + 0.05).mean() > 0.95
    # A bearing that just misses a corner may hit the depth that what stands is given.
    known = ~np.isnan(ranges)
    assert (np.isinf(ranges[known]) == np.isinf(truth[known])).mean() > 0.95


def test_a_lower_limit_stops_at_the_kerb_too():
    camera, pose = make_test_camera(), mounted_pose(1.4, pitch_rad=0.1)
    scene = Road(road_half_m=2.0)
    _, _, sweep = look(camera, pose, scene)
    ranges, truth = sweep.ranges(40), true_ranges(scene, 40)
    both = np.isfinite(ranges) & np.isfinite(truth)
    assert both.sum() > 50
    assert np.median(np.abs(ranges[both] - truth[both])) < 0.05
    assert not np.isfinite(sweep.ranges(100)).any()


def test_bearings_outside_the_image_are_not_a_number():
    rules = replace(RULES, sweep=SweepShape((-3.1, 3.1), 0.1, (0.3, 20.0), 0.05))
    camera, pose = make_test_camera(), mounted_pose(1.4, pitch_rad=0.04)
    _, _, sweep = look(camera, pose, Road(), rules)
    ranges = sweep.ranges(100)
    sees = np.abs(rules.sweep.bearings_rad) < math.atan(511.5 / 700)
    assert np.isinf(ranges[sees]).all()
    assert np.isnan(ranges[~sees]).all()


def test_unlabelled_ground_is_unknown_and_never_free():
    camera, pose = make_test_camera(), mounted_pose(1.4, pitch_rad=0.1)
    view = GroundView(camera, pose, RULES)
    labels = Road().render(camera, pose)
    labels[300:400] = NOTHING
    scan = view.read(labels)
    sweep = Sweep(SWEEP, [scan], [view.places])
    assert np.isnan(sweep.ranges(100)).all()
    assert (view.grid_cost(scan) == UNKNOWN).mean() > 0.2
    nothing = view.read(np.full_like(labels, NOTHING))
    assert (view.grid_cost(nothing) == UNKNOWN).all()
    assert np.isnan(Sweep(SWEEP, [nothing], [view.places]).ranges(100)).all()
    assert Sweep(SWEEP, [nothing], [view.places]).outline(0).shape == (0, 2)


def test_specks_of_unlabelled_pixels_take_what_is_behind_them():
    camera, pose = make_test_camera(), mounted_pose(1.4, pitch_rad=0.1)
    labels = SCENE.render(camera, pose)
    labels[330:332] = NOTHING
    view = GroundView(camera, pose, RULES)
    scan = view.read(labels)
    assert np.isinf(Sweep(SWEEP, [scan], [view.places]).ranges(100)).any()
    strict = GroundView(camera, pose, replace(RULES, bridged_px=0))
    assert (strict.read(labels).cost == UNKNOWN).sum() > (scan.cost == UNKNOWN).sum()


def test_ground_behind_an_obstacle_is_unknown():
    camera, pose = make_test_camera(), mounted_pose(1.2, pitch_rad=0.1)
    wall = Road((Box('building', 6.0, 0.0, 0.2, 30.0, 3.0),))
    view, scan, sweep = look(camera, pose, wall)
    cost, x = view.grid_cost(scan), GRID.centers[..., 0]
    assert (cost[(x > 6.6)] == UNKNOWN).all()
    assert (cost == 100).any()
    ranges = sweep.ranges(100)
    expected = 5.9 / np.cos(SWEEP.bearings_rad)
    assert np.abs(ranges - expected).max() < 5.9**2 / 1.2 / 700


def test_the_outline_encloses_the_road_up_to_what_stands_on_it():
    camera, pose = make_test_camera(), mounted_pose(1.4, pitch_rad=0.1)
    _, _, sweep = look(camera, pose)
    corners = sweep.outline(0)
    x, y = np.moveaxis(GRID.centers, -1, 0)
    seen = visible(GRID.centers, camera, pose, SCENE.boxes) & (np.hypot(x, y) < 20)
    seen &= np.abs(np.arctan2(y, x)) < SWEEP.angle_rad[1]
    truth = (SCENE.above(x, y) == ROAD) & seen
    # What is seen of the road behind the car is not seen in one piece with the near one.
    truth &= ~((x > 7) & (y > 0.3))
    inside = contains(corners, x, y)
    inside &= ~((x > 7) & (y > 0.3))
    assert iou(inside, truth) > 0.95
    area = 0.5 * np.sum(corners[:, 0] * np.roll(corners[:, 1], -1)
                        - np.roll(corners[:, 0], -1) * corners[:, 1])  # fmt: skip
    assert area > 0, 'the corners go counterclockwise'


def contains(corners, x, y):
    """Return which points are inside a polygon, by counting the edges to their right."""
    inside = np.zeros(x.shape, bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 != y1:
            crosses = ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
            inside ^= crosses
    return inside


@pytest.mark.parametrize('lens', LENSES)
def test_contacts_lie_on_the_near_sides_of_things(lens):
    camera, pose = make_test_camera(lens), mounted_pose(1.4, pitch_rad=0.1)
    view = GroundView(camera, pose, RULES)
    labels = SCENE.render(camera, pose)
    confidence = np.where(labels == CAR, 204, 51).astype(np.uint8)
    contacts = find_contacts(view.read(labels, confidence))
    assert set(contacts.class_ids) == {CAR, 9}
    cars = contacts.points_m[contacts.class_ids == CAR]
    box = SCENE.boxes[0]
    aside = np.maximum(np.abs(cars - (box.x_m, box.y_m)) - (box.length_m / 2, box.width_m / 2), 0)
    assert np.median(np.hypot(*aside.T)) < 7**2 / 1.4 / 700
    assert contacts.confidence[contacts.class_ids == CAR] == pytest.approx(0.8, abs=0.01)
    assert np.isnan(find_contacts(view.read(labels)).confidence).all()


def test_the_map_is_as_sure_as_the_pixels_that_it_is_made_of():
    camera, pose = make_test_camera(), mounted_pose(1.4, pitch_rad=0.1)
    view = GroundView(camera, pose, RULES)
    labels = SCENE.render(camera, pose)
    confidence = np.where(labels == CAR, 204, 51).astype(np.uint8)
    scan = view.read(labels, confidence)
    cost, sure = view.grid_cost(scan), view.grid_confidence(scan)
    assert sure.shape == cost.shape
    blocked = cost == 100
    assert sure[cost == 0] == pytest.approx(0.2)
    assert {round(float(s), 3) for s in sure[blocked]} == {0.2, 0.8}, 'pedestrian and car'
    assert (sure[GRID.centers[..., 0] < 1] == 0).all(), 'nothing is sure where nothing is seen'
    full = view.grid_confidence(view.read(labels, np.full_like(labels, 255)))
    assert full[cost >= 0] == pytest.approx(1.0)
    assert view.grid_confidence(view.read(labels)) is None


def test_what_reaches_below_the_image_has_no_contact_but_blocks():
    camera, pose = make_test_camera(), mounted_pose(1.4, pitch_rad=0.04)
    _, scan, sweep = look(camera, pose, Road((Box('car', 3.0, 0.0, 2.0, 30.0, 1.2),)))
    assert not len(find_contacts(scan).class_ids)
    nearest_seen = 1.4 / math.tan(0.04 + math.atan(255.5 / 700))
    assert np.nanmin(sweep.ranges(100)) == pytest.approx(nearest_seen, rel=0.02)


def test_two_cameras_see_what_each_sees():
    camera = make_test_camera()
    poses = [mounted_pose(1.4, pitch_rad=0.1, yaw_rad=yaw) for yaw in (0.5, -0.5)]
    views = [GroundView(camera, pose, RULES) for pose in poses]
    scans = [v.read(SCENE.render(camera, v.pose)) for v in views]
    sweep = Sweep(SWEEP, scans, [view.places for view in views])
    alone = Sweep(SWEEP, scans[:1], [views[0].places]).ranges(100)
    both, truth = sweep.ranges(100), true_ranges(SCENE)
    assert np.isnan(alone).any()
    assert not np.isnan(both).any()
    hit = np.isfinite(both) & np.isfinite(truth)
    assert np.median(np.abs(both[hit] - truth[hit])) < 0.1


def test_a_camera_that_looks_straight_down_sees_all_around():
    camera = make_test_camera(size=(600, 600), focal=(300.0, 300.0))
    pose = mounted_pose(3.0, pitch_rad=math.pi / 2)
    rules = replace(
        RULES,
        grid=GridShape(0.1, (-3.0, 3.0), (-3.0, 3.0)),
        sweep=SweepShape((-math.pi, math.pi), 0.02, (0.0, 2.5), 0.05),
    )
    view, scan, _ = look(camera, pose, Road(road_half_m=1.5), rules)
    y = rules.grid.centers[..., 1]
    seen = visible(rules.grid.centers, camera, pose, ())
    cost = view.grid_cost(scan)
    assert iou((cost == 0) & seen, (np.abs(y) < 1.5) & seen) > 0.97


def test_a_camera_that_points_at_the_sky_says_so():
    camera = make_test_camera()
    with pytest.raises(InputError, match=r'sees no ground within 22.* points at the sky'):
        GroundView(camera, mounted_pose(1.4, pitch_rad=-0.8), RULES)


def test_a_mask_of_another_size_is_refused():
    view = GroundView(make_test_camera(), mounted_pose(1.4), RULES)
    with pytest.raises(InputError, match=r'mask: expected 1024x512 pixels.*found 512x256'):
        view.read(np.zeros((256, 512), np.uint8))
    with pytest.raises(InputError, match='confidence: expected 1024x512'):
        view.read(np.zeros((512, 1024), np.uint8), np.zeros((512, 1023), np.uint8))


def test_a_view_that_ends_before_the_sweep_is_noticed():
    near_only = mounted_pose(1.4, pitch_rad=1.0)
    assert not GroundView(make_test_camera(), near_only, RULES).sees_all_ranges
    assert GroundView(make_test_camera(), mounted_pose(1.4, pitch_rad=0.1), RULES).sees_all_ranges


def test_a_view_that_begins_behind_the_sweep_is_noticed():
    near = replace(RULES, sweep=SweepShape((-1.0, 1.0), 0.02, (0.1, 1.0), 0.05))
    view = GroundView(make_test_camera(), mounted_pose(1.4, pitch_rad=0.1), near)
    assert view.polar.ranges_m[0] > 1.0, 'no ground is seen within the sweep'
    assert not view.sees_all_ranges


def test_shapes_that_make_no_sense_are_refused():
    with pytest.raises(ConfigError, match='grid: expected 1 to'):
        GridShape(0.1, (5.0, 5.0), (-1.0, 1.0))
    with pytest.raises(ConfigError, match='grid: expected 1 to'):
        GridShape(0.0001, (0.0, 50.0), (-50.0, 50.0))
    with pytest.raises(ConfigError, match='scan: expected rising angles'):
        SweepShape((1.0, -1.0), 0.01, (0.0, 10.0), 0.1)
    with pytest.raises(ConfigError, match='scan: expected increments above 0'):
        SweepShape((-1.0, 1.0), 0.0, (0.0, 10.0), 0.1)
    with pytest.raises(ConfigError, match='a class with a cost of 0 to 99, found none'):
        make_cost_table(LabelSet.from_names(('a', 'b')))


def test_pavement_costs_what_its_label_set_says():
    camera, pose = make_test_camera(), mounted_pose(1.4, pitch_rad=0.1)
    view, scan, _ = look(camera, pose, Road(road_half_m=1.0))
    y = GRID.centers[..., 1]
    beside = visible(GRID.centers, camera, pose, ()) & (np.abs(y) > 1.2)
    assert (view.grid_cost(scan)[beside] == 40).mean() > 0.99
    assert RULES.costs.cost[PAVEMENT] == 40
