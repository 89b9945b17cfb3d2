"""Scenes whose truth is known in metres, and exact label masks of them by ray casting."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.labels import LabelSet, load_label_set
from espnet_ros.planning.costs import make_cost_table
from espnet_ros.planning.geometry.camera import Camera
from espnet_ros.planning.geometry.distortion import EquidistantLens, PolynomialLens
from espnet_ros.planning.geometry.pose import CameraPose
from espnet_ros.planning.grid import GridShape, SweepShape
from espnet_ros.planning.view import ViewRules
from espnet_ros.sources.street import Box, Cylinder
import numpy as np

LABELS: LabelSet = load_label_set('camvid')
SKY, ROAD, PAVEMENT, CAR = (LABELS.id_of(n) for n in ('sky', 'road', 'pavement', 'car'))
NOTHING = 255

GRID = GridShape(0.1, (0.0, 20.0), (-10.0, 10.0))
SWEEP = SweepShape((-0.6, 0.6), 0.01, (0.3, 20.0), 0.05)
RULES = ViewRules(GRID, SWEEP, make_cost_table(LABELS))


@dataclass(frozen=True)
class Road:
    """
    A straight road with pavement on both sides, and boxes on it.

    :param boxes: what stands on the ground
    :param road_half_m: from the middle of the road, at y = 0, to its edges
    """

    boxes: tuple[Box, ...] = ()
    road_half_m: float = 4.0

    def ground(self, x, y):
        """Return the class of the ground at places."""
        return np.where(np.abs(y) < self.road_half_m, ROAD, PAVEMENT).astype(np.uint8)

    def above(self, x, y):
        """Return the class seen from above."""
        labels = self.ground(x, y)
        for box in self.boxes:
            labels[
                (np.abs(x - box.x_m) <= box.length_m / 2)
                & (np.abs(y - box.y_m) <= box.width_m / 2)
            ] = LABELS.id_of(box.label)
        return labels

    def render(self, camera: Camera, pose: CameraPose):
        """Return the exact mask: the class that the middle of every pixel sees."""
        height, width = camera.size
        u, v = np.meshgrid(np.arange(width), np.arange(height))
        rays = camera.rays(np.stack([u, v], axis=-1).astype(float)) @ pose.matrix.T
        with np.errstate(divide='ignore', invalid='ignore'):
            reach = np.where(rays[..., 2] < -1e-9, -pose.height_m / rays[..., 2], np.inf)
            x, y = (rays[..., i] * reach + pose.position_m[i] for i in (0, 1))
        labels = np.where(np.isfinite(reach), self.ground(x, np.nan_to_num(y)), SKY)
        nearest = reach
        for box in self.boxes:
            distance = hit_distance(box, np.array(pose.position_m), rays)
            closer = distance < nearest
            labels[closer] = LABELS.id_of(box.label)
            nearest = np.where(closer, distance, nearest)
        labels[np.isnan(rays[..., 0])] = NOTHING
        return labels.astype(np.uint8)


def hit_distance(thing: Box | Cylinder, origin, rays):
    """Return how far along rays (..., 3) of any length something is hit; inf where not."""
    half = (
        (thing.length_m / 2, thing.width_m / 2)
        if isinstance(thing, Box)
        else (thing.radius_m, thing.radius_m)
    )
    low = np.array([thing.x_m - half[0], thing.y_m - half[1], 0.0])
    high = np.array([thing.x_m + half[0], thing.y_m + half[1], thing.height_m])
    with np.errstate(divide='ignore', invalid='ignore'):
        first, second = (low - origin) / rays, (high - origin) / rays
        enter = np.minimum(first, second).max(axis=-1)
        leave = np.maximum(first, second).min(axis=-1)
    return np.where((enter <= leave) & (enter > 0), enter, np.inf)


def visible(places, camera: Camera, pose: CameraPose, obstacles):
    """Return which places (..., 2) on the ground the camera sees."""
    points = np.concatenate([places, np.zeros((*places.shape[:-1], 1))], axis=-1)
    rays = points - pose.position_m
    seen = camera.contains(camera.project(rays @ pose.matrix))
    for thing in obstacles:
        seen &= hit_distance(thing, np.array(pose.position_m), rays) >= 1 - 1e-9
    return seen


def iou(first, second) -> float:
    """Return intersection over union of two boolean arrays."""
    return float((first & second).sum() / (first | second).sum())


def make_test_camera(
    lens: str = 'pinhole', size=(512, 1024), focal=(700.0, 700.0), center=None
) -> Camera:
    lenses = {
        'pinhole': PolynomialLens(),
        'plumb_bob': PolynomialLens((-0.2, 0.06, -0.008), (0.001, -0.0007)),
        'rational': PolynomialLens((0.53, -2.61, 1.53), (0.0004, 0.0003), (0.41, -2.44, 1.45)),
        'equidistant': EquidistantLens((-0.02, 0.004, -0.001, 0.0002)),
    }
    height, width = size
    return Camera(size, focal, center or ((width - 1) / 2, (height - 1) / 2), lenses[lens])
