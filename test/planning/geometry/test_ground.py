"""Places on the ground: exact to a millimetre, for any mount and lens."""

from __future__ import annotations

import math

from espnet_ros.exceptions import InputError
from espnet_ros.planning.geometry.pose import (
    matrix_pose,
    mounted_pose,
    points_to_pixels,
    transform_matrix,
)
from espnet_ros.sources.street import StreetSource
from ground_truth import pixels_to_ground
import numpy as np
import pytest

from ..scenes import make_test_camera

MOUNTS = [
    {'height_m': 1.4, 'pitch_rad': 0.04},
    {'height_m': 0.3, 'pitch_rad': 0.3, 'roll_rad': 0.1},
    {'height_m': 2.5, 'pitch_rad': -0.02, 'yaw_rad': 0.8, 'x_m': 1.2, 'y_m': -0.4},
    {'height_m': 6.0, 'pitch_rad': math.pi / 2, 'yaw_rad': -2.0},
]
LENSES = ['pinhole', 'plumb_bob', 'rational', 'equidistant']


@pytest.mark.parametrize('mount', MOUNTS)
@pytest.mark.parametrize('lens', LENSES)
def test_places_come_back_from_their_pixels_to_a_millimetre(lens, mount):
    camera, pose = make_test_camera(lens), mounted_pose(**mount)
    angle, far = np.random.default_rng(3).uniform((0, 0.2), (2 * math.pi, 40), (4000, 2)).T
    places = np.stack([far * np.cos(angle), far * np.sin(angle)], axis=-1)
    pixels = points_to_pixels(camera, pose, places)
    seen = camera.contains(pixels)
    assert seen.sum() > 20
    found = pixels_to_ground(camera, pose, pixels[seen])
    assert np.abs(found - places[seen]).max() < 0.001


def test_the_places_are_those_of_the_synthetic_street():
    source = StreetSource(size=(360, 640), height_m=1.7, pitch_rad=0.07)
    model = source.camera
    camera = make_test_camera(
        size=(360, 640), focal=(model.fx, model.fy), center=(model.cx, model.cy)
    )
    pose = mounted_pose(model.height_m, pitch_rad=model.pitch_rad)
    rows = np.arange(250, 360)
    # By the definition of CameraModel: a row looks down by pitch plus its own angle.
    ahead = 1.7 / np.tan(0.07 + np.arctan((rows - model.cy) / model.fy))
    pixels = np.stack([np.full(rows.size, model.cx), rows], axis=-1)
    expected = np.stack([ahead, np.zeros(rows.size)], axis=-1)
    assert np.abs(pixels_to_ground(camera, pose, pixels) - expected).max() < 0.001


def test_pitch_points_down_yaw_to_the_left_and_roll_lowers_the_right():
    camera = make_test_camera()
    ahead = np.array([[10.0, 0.0]])
    u, v = points_to_pixels(camera, mounted_pose(1.5), ahead)[0]
    assert points_to_pixels(camera, mounted_pose(1.5, pitch_rad=0.1), ahead)[0][1] < v
    assert points_to_pixels(camera, mounted_pose(1.5, yaw_rad=0.1), ahead)[0][0] > u
    pose = mounted_pose(1.5, pitch_rad=0.1, yaw_rad=0.4)
    assert pose.pitch_rad == pytest.approx(0.1)
    assert pose.heading_rad == pytest.approx(0.4)
    assert pose.pitched(0.05).pitch_rad == pytest.approx(0.15)
    assert pose.pitched(0.05).heading_rad == pytest.approx(0.4)


def test_a_transform_gives_the_pose_that_the_mount_has():
    # Optical frame in base_link at roll -90, yaw -90 degrees, as every camera URDF has it.
    optical = transform_matrix((0.5, 0.1, 1.2), (-0.5, 0.5, -0.5, 0.5))
    pose = matrix_pose(optical, ground_z_m=-0.2)
    assert pose.is_near(mounted_pose(1.4, x_m=0.5, y_m=0.1), 1e-9, 1e-9)
    assert not pose.is_near(mounted_pose(1.4, pitch_rad=0.01, x_m=0.5, y_m=0.1), 1e-9, 1e-3)


@pytest.mark.parametrize('yaw_rad', [0.0, 1.0, 1.6, 3.1, -2.0])
@pytest.mark.parametrize('roll_rad', [0.0, 0.3, 3.1, -1.5])
@pytest.mark.parametrize('pitch_rad', [0.0, 0.04, 1.5, -1.2])
def test_the_quaternion_of_a_pose_gives_the_pose_back(pitch_rad, roll_rad, yaw_rad):
    pose = mounted_pose(1.4, pitch_rad=pitch_rad, roll_rad=roll_rad, yaw_rad=yaw_rad, x_m=0.5)
    assert math.hypot(*pose.quaternion) == pytest.approx(1.0)
    matrix = transform_matrix(pose.position_m, pose.quaternion)
    assert np.allclose(matrix[:3, :3], pose.matrix, rtol=0, atol=1e-12)
    assert matrix_pose(matrix).is_near(pose, 1e-12, 1e-6)


@pytest.mark.parametrize('height_m', [0.0, -1.0, float('nan')])
def test_a_camera_that_is_not_above_the_ground_is_refused(height_m):
    with pytest.raises(InputError, match='camera pose: expected'):
        mounted_pose(height_m)


def test_transforms_that_are_no_motion_are_refused():
    with pytest.raises(InputError, match='quaternion of length 1'):
        transform_matrix((0, 0, 1), (0, 0, 0, 0))
    with pytest.raises(InputError, match='expected a rotation'):
        matrix_pose(np.diag([2.0, 2.0, 2.0, 1.0]))
