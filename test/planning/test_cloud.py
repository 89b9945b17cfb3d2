"""The organised cloud: aligned with the mask, flat on the ground, upright where things stand."""

from __future__ import annotations

from espnet_ros.planning.geometry.pose import mounted_pose
from espnet_ros.planning.view import GroundView
from ground_truth import pixels_to_ground
import numpy as np
import pytest

from .scenes import Box, CAR, make_test_camera, ROAD, Road, RULES, SKY

SCENE = Road((Box('car', 9.0, 1.5, 4.0, 1.8, 1.5),))


@pytest.fixture(scope='module')
def cloud():
    """Return the labels of a scene and the cloud."""
    camera, pose = make_test_camera('plumb_bob'), mounted_pose(1.4, pitch_rad=0.1)
    view = GroundView(camera, pose, RULES)
    labels = SCENE.render(camera, pose)
    return camera, pose, labels, view.cloud(view.read(labels), labels)


def test_it_has_a_point_for_every_pixel_of_the_mask(cloud):
    _, _, labels, points = cloud
    assert points.shape == (*labels.shape, 3)
    assert points.dtype == np.float32


def test_flat_pixels_lie_on_the_ground_where_they_look(cloud):
    camera, pose, labels, points = cloud
    rows, columns = np.nonzero(labels == ROAD)
    pixels = np.stack([columns, rows], axis=-1).astype(float)
    expected = pixels_to_ground(camera, pose, pixels)
    near = np.hypot(*expected.T) < 20
    assert np.abs(points[rows, columns, :2] - expected)[near].max() < 0.001
    assert (points[rows, columns, 2][near] == 0).all()
    assert np.isnan(points[rows, columns][np.hypot(*expected.T) > 23]).all()


def test_upright_pixels_stand_over_their_contact(cloud):
    _, _, labels, points = cloud
    car = points[labels == CAR]
    assert np.isfinite(car).all(axis=1).mean() > 0.99
    car = car[np.isfinite(car).all(axis=1)]
    # Its near sides are what the camera sees: nothing smears over the ground behind it.
    assert np.percentile(car[:, 0], [1, 99]) == pytest.approx([7.0, 11.0], abs=1.0)
    assert np.percentile(car[:, 1], [1, 99]) == pytest.approx([0.6, 2.4], abs=0.4)
    assert np.percentile(car[:, 2], 1) == pytest.approx(0.0, abs=0.1)
    assert np.percentile(car[:, 2], 99) == pytest.approx(1.4, abs=0.25)


def test_the_sky_is_nowhere(cloud):
    _, _, labels, points = cloud
    assert np.isnan(points[labels == SKY]).all()
