"""The geometry behind a rendered street, and that the picture agrees with it."""

import math

from espnet_ros.sources.street import Box, StreetScene, StreetSource
from espnet_ros.sources.street.rendering.projection import Projection
import numpy as np
from numpy.typing import NDArray
import pytest
from street_truth import labels_from_above


def ground_points(scene: StreetScene) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where each pixel centre meets the ground, by the textbook; NaN above the horizon."""
    camera = scene.camera
    u, v = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    right, down = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
    pitch = camera.pitch_rad
    ahead = math.cos(pitch) - down * math.sin(pitch)
    drop = math.sin(pitch) + down * math.cos(pitch)
    scale = camera.height_m / np.where(drop > 1e-6, drop, np.nan)
    return scale * ahead, -scale * right


@pytest.mark.parametrize('height_m', [0.8, 2.5])
@pytest.mark.parametrize('pitch_rad', [-0.05, 0.0, 0.3])
@pytest.mark.parametrize('size', [(270, 480), (121, 333)])
def test_ground_in_the_picture_is_where_the_geometry_says(
    height_m: float, pitch_rad: float, size: tuple[int, int]
) -> None:
    source = StreetSource(size=size, height_m=height_m, pitch_rad=pitch_rad)
    labels = source.frame(40).labels
    scene = source.scene(40)
    x_m, y_m = ground_points(scene)
    expected = scene.ground_labels(x_m, y_m)
    ground_ids = [source.label_set.id_of(name) for name in ('road', 'pavement', 'void')]
    is_ground = np.isin(labels, ground_ids)
    assert is_ground.mean() > 0.1
    assert not np.isnan(x_m[is_ground]).any()
    # A pixel whose centre lies on an edge, to the rounding, may be on either side of it.
    from_middle_m = np.abs(y_m + scene.vehicle_offset_m)
    edges_m = scene.road_half_width_m, scene.street_half_width_m
    is_clear = is_ground & (np.min([np.abs(from_middle_m - e) for e in edges_m], axis=0) > 1e-9)
    assert (is_ground & ~is_clear).mean() < 0.001
    assert np.array_equal(labels[is_clear], expected[is_clear])


def test_free_ground_in_the_picture_is_free_of_obstacles_in_the_geometry() -> None:
    source = StreetSource(seed=3)
    for index in (0, 150, 300):
        labels, scene = source.frame(index).labels, source.scene(index)
        x_m, y_m = ground_points(scene)
        is_near = (labels == source.label_set.id_of('road')) & (x_m < 20)
        from_above = labels_from_above(scene, x_m[is_near], y_m[is_near])
        agrees = from_above == source.label_set.id_of('road')
        # The corners of a car are rounder than its box.
        assert agrees.mean() > 0.998


def test_parked_and_moving_cars_are_seen_where_they_stand() -> None:
    source = StreetSource(seed=1)
    car = source.label_set.id_of('car')
    projection = Projection(source.scene(0).camera)
    hits = []
    for index in range(0, 400, 40):
        labels, scene = source.frame(index).labels, source.scene(index)
        cars = [o for o in scene.obstacles if isinstance(o, Box) and o.label == 'car']
        for thing in cars:
            rear = np.array([(thing.x_m - thing.length_m / 2, thing.y_m, 0.5)])
            if 6 < rear[0, 0] < 20:
                u, v = np.rint(projection.polygon(rear)[0]).astype(int)
                if 0 <= u < labels.shape[1] and 0 <= v < labels.shape[0]:
                    hits.append(labels[v, u] == car)
    assert len(hits) > 10
    # A trunk or a pole may stand before one.
    assert np.mean(hits) > 0.9


def test_zones_lie_at_the_widths_that_the_scene_tells() -> None:
    scene = StreetSource(size=(32, 64)).scene(0)
    road, pavement, void = (scene.label_set.id_of(n) for n in ('road', 'pavement', 'void'))
    middle = -scene.vehicle_offset_m
    edges = np.array([scene.road_half_width_m, scene.street_half_width_m])
    for side in (1, -1):
        y_m = middle + side * np.array([0, edges[0] - 0.01, edges[0] + 0.01, edges[1] + 0.01])
        assert scene.ground_labels(5.0, y_m).tolist() == [road, road, pavement, void]


def test_map_from_above_shows_boxes_and_cylinders() -> None:
    scene = StreetSource(size=(32, 64)).scene(0)
    names = scene.label_set.names
    for thing in scene.obstacles[:40]:
        label = labels_from_above(scene, thing.x_m, thing.y_m)
        assert names[int(label)] in {o.label for o in scene.obstacles}


def test_obstacles_move_as_time_passes() -> None:
    source = StreetSource(size=(32, 64), rate_hz=10.0)
    first, second = source.scene(0), source.scene(1)
    assert second.position_m == pytest.approx(first.position_m + 0.8)
    trees = [sorted(o.x_m for o in s.obstacles if o.label == 'tree') for s in (first, second)]
    assert trees[0][1] - trees[1][1] == pytest.approx(0.8)


def test_vehicle_never_drives_into_an_obstacle() -> None:
    source = StreetSource(size=(32, 64), rate_hz=5.0, seed=9)
    for index in range(0, 600, 3):
        for thing in source.scene(index).obstacles:
            if isinstance(thing, Box) and abs(thing.x_m) - thing.length_m / 2 < 2.5:
                assert abs(thing.y_m) - thing.width_m / 2 > 0.9, (index, thing)
