"""
The whole geometry against a ray caster of its own.

Nothing below shares code with the projection, the poses or the scenes of the package: the
camera is three vectors, every pixel is a ray, a box is six planes in its own frame, and truth
is looked up in metres.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
import math
import sys

from espnet_ros.labels import load_label_set
from espnet_ros.planning.costs import make_cost_table
from espnet_ros.planning.geometry.camera import Calibration, make_camera
from espnet_ros.planning.geometry.pose import mounted_pose
from espnet_ros.planning.grid import GridShape, SweepShape
from espnet_ros.planning.sweep import Sweep
from espnet_ros.planning.view import GroundView, ViewRules
import numpy as np
import pytest

CAMVID = load_label_set('camvid')
SKY, BUILDING, ROAD, PAVEMENT, CAR, PEDESTRIAN = (
    CAMVID.id_of(name) for name in ('sky', 'building', 'road', 'pavement', 'car', 'pedestrian')
)
COST = {ROAD: 0, PAVEMENT: 40, BUILDING: 100, CAR: 100, PEDESTRIAN: 100}
WIDTH, HEIGHT, FOCAL, COLUMN, ROW = 960, 540, 620.0, 473.0, 281.5
CELL_M, REACH_M, SIDE_M = 0.1, 20.0, 10.0


@dataclass(frozen=True)
class Block:
    """A box on the ground: middle, half sizes, height, and how far it is turned to the left."""

    label: int
    x_m: float
    y_m: float
    half_length_m: float
    half_width_m: float
    height_m: float
    turn_rad: float

    def inside(self, x, y):
        along, aside = self._own_axes(x - self.x_m, y - self.y_m)
        return (np.abs(along) <= self.half_length_m) & (np.abs(aside) <= self.half_width_m)

    def distance(self, start, rays):
        """Return how often rays (..., 3) of their own length it is to the box; inf: never."""
        begin = np.array(
            [*self._own_axes(start[0] - self.x_m, start[1] - self.y_m), start[2]], float
        )
        ways = np.stack([*self._own_axes(rays[..., 0], rays[..., 1]), rays[..., 2]], axis=-1)
        enter, leave = np.full(rays.shape[:-1], -np.inf), np.full(rays.shape[:-1], np.inf)
        sides = (
            (-self.half_length_m, self.half_length_m),
            (-self.half_width_m, self.half_width_m),
            (0.0, self.height_m),
        )
        for axis, planes in enumerate(sides):
            way = np.where(np.abs(ways[..., axis]) < 1e-12, 1e-12, ways[..., axis])
            first, second = ((plane - begin[axis]) / way for plane in planes)
            enter = np.maximum(enter, np.minimum(first, second))
            leave = np.minimum(leave, np.maximum(first, second))
        return np.where((enter <= leave) & (enter > 0), enter, np.inf)

    def _own_axes(self, dx, dy):
        cos, sin = math.cos(self.turn_rad), math.sin(self.turn_rad)
        return cos * dx + sin * dy, cos * dy - sin * dx


BLOCKS = (
    Block(CAR, 9.0, 1.2, 2.1, 0.9, 1.5, 0.3),
    Block(CAR, 14.5, -2.6, 2.0, 0.9, 1.6, -0.1),
    Block(PEDESTRIAN, 6.0, -1.9, 0.35, 0.35, 1.8, 0.8),
    Block(BUILDING, 12.0, 8.0, 5.0, 1.5, 6.0, 0.05),
    Block(BUILDING, 13.0, -8.5, 4.0, 1.2, 5.0, 0.0),
)


def ground_label(x, y):
    """Return the class of the ground: a road that bends to the left, 7 m wide."""
    return np.where(np.abs(y - 0.006 * x * x) < 3.5, ROAD, PAVEMENT)


def label_at(x, y):
    """Return the class of what covers places of the ground."""
    labels = ground_label(x, y)
    for block in BLOCKS:
        labels = np.where(block.inside(x, y), block.label, labels)
    return labels


@dataclass(frozen=True)
class Eye:
    """A camera: where it stands, and how it is turned, angles as the parameters mount.* have."""

    height_m: float
    pitch_rad: float
    yaw_rad: float = 0.0
    roll_rad: float = 0.0
    x_m: float = 0.0
    y_m: float = 0.0

    @property
    def place(self):
        return np.array([self.x_m, self.y_m, self.height_m])

    @property
    def axes(self):
        """Return the unit vectors right, down and ahead in the robot's frame."""
        ahead = np.array(
            [
                math.cos(self.pitch_rad) * math.cos(self.yaw_rad),
                math.cos(self.pitch_rad) * math.sin(self.yaw_rad),
                -math.sin(self.pitch_rad),
            ]
        )
        level = np.array([math.sin(self.yaw_rad), -math.cos(self.yaw_rad), 0.0])
        up = np.cross(level, ahead)
        right = math.cos(self.roll_rad) * level - math.sin(self.roll_rad) * up
        return right, np.cross(ahead, right), ahead

    def mask(self):
        """Return what the middle of every pixel sees."""
        right, down, ahead = self.axes
        u = (np.arange(WIDTH) - COLUMN)[None, :, None] / FOCAL
        v = (np.arange(HEIGHT) - ROW)[:, None, None] / FOCAL
        rays = ahead + u * right + v * down
        with np.errstate(divide='ignore'):
            nearest = np.where(rays[..., 2] < 0, -self.height_m / rays[..., 2], np.inf)
        far = np.where(np.isfinite(nearest), nearest, 0.0)
        places = self.place + far[..., None] * rays
        labels = np.where(np.isfinite(nearest), ground_label(places[..., 0], places[..., 1]), SKY)
        for block in BLOCKS:
            distance = block.distance(self.place, rays)
            labels = np.where(distance < nearest, block.label, labels)
            nearest = np.minimum(nearest, distance)
        return labels.astype(np.uint8)

    def sees(self, x, y):
        """Return which places of the ground are in the picture, with nothing before them."""
        ways = np.stack([x - self.x_m, y - self.y_m, np.full(x.shape, -self.height_m)], axis=-1)
        right, down, ahead = self.axes
        depth = ways @ ahead
        with np.errstate(divide='ignore', invalid='ignore'):
            u = COLUMN + FOCAL * (ways @ right) / depth
            v = ROW + FOCAL * (ways @ down) / depth
        seen = (depth > 0) & (u > -0.5) & (u < WIDTH - 0.5) & (v > -0.5) & (v < HEIGHT - 0.5)
        for block in BLOCKS:
            seen &= block.distance(self.place, ways) >= 1 - 1e-9
        return seen


EYES = {
    'a car': Eye(1.4, 0.06),
    'a delivery robot': Eye(1.0, 0.14, roll_rad=0.05),
    'a lorry, to the left': Eye(2.4, 0.16, yaw_rad=0.25, x_m=1.2, y_m=-0.5),
    'a mast, to the right': Eye(1.8, 0.22, yaw_rad=-0.3, roll_rad=-0.08, x_m=-0.4, y_m=0.3),
}
LOW_EYE = Eye(0.7, 0.15)
"""Sees pixels that are 0.9 m deep at 20 m, so fewer cells are right."""


@cache
def looked(eye):
    """Return the map and the ranges that the package finds in the mask of a camera."""
    k = (FOCAL, 0.0, COLUMN, 0.0, FOCAL, ROW, 0.0, 0.0, 1.0)
    camera = make_camera(Calibration((HEIGHT, WIDTH), 'plumb_bob', (0.0,) * 5, k))
    pose = mounted_pose(**vars(eye))
    rules = ViewRules(
        GridShape(CELL_M, (0.0, REACH_M), (-SIDE_M, SIDE_M)),
        SweepShape((-0.7, 0.7), 0.00873, (0.3, REACH_M), CELL_M / 2),
        make_cost_table(CAMVID),
    )
    view = GroundView(camera, pose, rules)
    reading = view.read(eye.mask())
    ranges = Sweep(rules.sweep, [reading], [view.places]).ranges(100)
    return view.grid_cost(reading), rules.sweep.bearings_rad, ranges


def show(words, value):
    """Print a figure of docs/planner.md; pytest -rP shows it."""
    sys.stdout.write(f'ray caster: {words}: {value}\n')


def cell_centers():
    x = (np.arange(round(REACH_M / CELL_M)) + 0.5) * CELL_M
    y = (np.arange(round(2 * SIDE_M / CELL_M)) + 0.5) * CELL_M - SIDE_M
    return np.meshgrid(x, y)


def true_costs(x, y):
    labels = label_at(x, y)
    return np.select([labels == label for label in COST], list(COST.values()))


@pytest.mark.parametrize(
    'eye,required',
    [*((eye, 0.985) for eye in EYES.values()), (LOW_EYE, 0.98)],
    ids=[*EYES, 'a low robot'],
)
def test_costs_are_right_where_they_are_known(eye, required):
    cost, _, _ = looked(eye)
    x, y = cell_centers()
    known = cost >= 0
    assert known.mean() > 0.2
    right = (cost == true_costs(x, y))[known].mean()
    show(f'{eye.height_m} m high, known cells with their true cost', f'{100 * right:.1f} %')
    assert right >= required
    assert known[eye.sees(x, y)].mean() > 0.98


@pytest.mark.parametrize('eye', EYES.values(), ids=EYES)
def test_what_can_be_driven_on_is_found_as_it_is_seen(eye):
    cost, _, _ = looked(eye)
    x, y = cell_centers()
    seen = eye.sees(x, y)
    found, truth = (cost == 0) & seen, (true_costs(x, y) == 0) & seen
    overlap = (found & truth).sum() / (found | truth).sum()
    show(f'{eye.height_m} m high, IoU of drivable cells', f'{overlap:.3f}')
    assert overlap >= 0.985


@pytest.mark.parametrize('eye', EYES.values(), ids=EYES)
def test_ranges_end_at_the_near_sides_of_things(eye):
    _, bearings, ranges = looked(eye)
    ways = np.stack([np.cos(bearings), np.sin(bearings), np.zeros_like(bearings)], axis=-1)
    truth = np.min([block.distance(np.zeros(3), ways) for block in BLOCKS], axis=0)
    before = ways * np.where(np.isfinite(truth), truth - 0.05, 0.0)[:, None]
    both = np.isfinite(ranges) & (truth < REACH_M) & eye.sees(before[:, 0], before[:, 1])
    error_m = np.abs(ranges[both] - truth[both])
    show(f'{eye.height_m} m high, median error of ranges', f'{np.median(error_m):.3f} m')
    assert both.sum() > 25
    assert np.median(error_m) < 0.06
    free = np.isinf(ranges)
    assert (truth[free] >= REACH_M).mean() > 0.98, 'what is free has nothing in its way'
