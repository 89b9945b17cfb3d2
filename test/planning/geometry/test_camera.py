"""Pixels and directions: exact, both ways, for every lens that CameraInfo describes."""

from __future__ import annotations

from dataclasses import replace

import cv2
from espnet_ros.exceptions import InputError
from espnet_ros.planning.geometry.camera import Calibration, make_camera
from espnet_ros.planning.geometry.distortion import EquidistantLens, PolynomialLens
import numpy as np
import pytest

K = (500.0, 0.0, 319.5, 0.0, 510.0, 239.5, 0.0, 0.0, 1.0)
LENSES = {
    'pinhole': ('', ()),
    'plumb_bob': ('plumb_bob', (-0.28, 0.09, 0.001, -0.0007, -0.01)),
    'rational': ('rational_polynomial', (0.53, -2.61, 0.0004, 0.0003, 1.53, 0.41, -2.44, 1.45)),
    'equidistant': ('equidistant', (-0.02, 0.004, -0.001, 0.0002)),
}


def calibration(lens, **changes):
    model, d = LENSES[lens]
    return replace(Calibration((480, 640), model, d, K), **changes)


def all_pixels(camera, stride=7):
    height, width = camera.size
    u, v = np.meshgrid(np.arange(0, width, stride), np.arange(0, height, stride))
    return np.stack([u, v], axis=-1).astype(float)


@pytest.mark.parametrize('lens', LENSES)
def test_every_pixel_comes_back_from_its_direction(lens):
    camera = make_camera(calibration(lens))
    pixels = all_pixels(camera)
    rays = camera.rays(pixels)
    assert np.allclose(np.linalg.norm(rays, axis=-1), 1.0)
    assert np.abs(camera.project(rays * 3.7) - pixels).max() < 1e-6


@pytest.mark.parametrize('lens', ['pinhole', 'plumb_bob', 'rational'])
def test_projection_is_that_of_opencv(lens):
    camera = make_camera(calibration(lens))
    points = np.random.default_rng(1).uniform((-2, -1.5, 3), (2, 1.5, 9), (300, 3))
    d = np.array(LENSES[lens][1] or (0.0,) * 4)
    expected, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), np.reshape(K, (3, 3)), d)
    assert np.abs(camera.project(points) - expected[:, 0]).max() < 1e-6


def test_fisheye_projection_is_that_of_opencv():
    camera = make_camera(calibration('equidistant'))
    points = np.random.default_rng(1).uniform((-2, -1.5, 1), (2, 1.5, 9), (300, 3))
    expected, _ = cv2.fisheye.projectPoints(
        points[:, None], np.zeros(3), np.zeros(3), np.reshape(K, (3, 3)),
        np.array(LENSES['equidistant'][1]),
    )  # fmt: skip
    assert np.abs(camera.project(points) - expected[:, 0]).max() < 1e-6


def test_a_fisheye_looks_behind_itself_and_a_pinhole_does_not():
    behind = np.array([[1.0, 0.0, -0.2]])
    fisheye = make_camera(calibration('equidistant'))
    pixel = fisheye.project(behind)
    assert np.allclose(fisheye.rays(pixel), behind / np.linalg.norm(behind), atol=1e-8)
    for lens in ('pinhole', 'plumb_bob'):
        assert np.isnan(make_camera(calibration(lens)).project(behind)).all()


def test_what_lies_beyond_the_fold_of_a_polynomial_is_not_seen():
    lens = PolynomialLens((-0.3, 0.0, 0.0))
    assert lens.fold_radius == pytest.approx(np.sqrt(1 / 0.9), abs=0.01)
    # The bare formula would put this one back into the image.
    assert np.isnan(lens.distort(np.array([[1.6, 0.0, 1.0]]))).all()
    far = np.array([[0.71, 0.0], [0.0, 2.0], [0.3, 0.2]])
    assert np.isnan(lens.undistort(far)).any(axis=1).tolist() == [True, True, False]


def test_a_fisheye_beyond_its_largest_radius_sees_nothing():
    lens = EquidistantLens((-0.1, 0.0, 0.0, 0.0))
    assert lens.fold_angle == pytest.approx(np.sqrt(1 / 0.3), abs=0.01)
    assert np.isnan(lens.undistort(np.array([[1.3, 0.0]]))).all()


def test_region_of_interest_and_binning_keep_the_directions():
    full = make_camera(calibration('plumb_bob'))
    part = make_camera(calibration('plumb_bob', roi=(100, 60, 320, 240), binning=(2, 2)))
    assert part.size == (120, 160)
    # The middle of a binned pixel is the middle of the four that it is made of.
    pixels = all_pixels(part)
    assert np.allclose(part.rays(pixels), full.rays(pixels * 2 + 0.5 + (100, 60)), atol=1e-12)


def test_a_resized_image_keeps_the_directions():
    full = make_camera(calibration('rational'))
    half = full.resized((240, 320))
    pixels = all_pixels(half)
    assert np.allclose(half.rays(pixels), full.rays(pixels * 2 + 0.5), atol=1e-12)
    with pytest.raises(InputError, match='expected the proportions of the mask, 320x320'):
        full.resized((320, 320))


def test_a_rectified_image_is_described_by_its_projection_alone():
    p = (400.0, 0.0, 300.0, 0.0, 0.0, 400.0, 200.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    camera = make_camera(calibration('plumb_bob', p=p), rectified=True)
    assert camera.focal == (400.0, 400.0)
    assert np.allclose(camera.project(np.array([[1.0, -0.5, 2.0]])), [[500.0, 100.0]])


def test_rectification_turns_the_directions_of_a_raw_image():
    turn = cv2.Rodrigues(np.array([0.0, 0.1, 0.02]))[0]
    camera = make_camera(calibration('plumb_bob', r=tuple(turn.ravel())))
    plain = make_camera(calibration('plumb_bob'))
    pixels = all_pixels(camera)
    assert np.allclose(camera.rays(pixels), plain.rays(pixels) @ turn.T)
    assert np.allclose(camera.project(camera.rays(pixels)), pixels, atol=1e-6)


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'k': (0.0,) * 9}, 'the camera is not calibrated'),
        ({'size': (0, 0)}, 'the camera is not calibrated'),
        ({'k': (float('nan'),) * 9}, '9 finite values in K'),
        ({'k': K[:6]}, '9 finite values in K'),
        ({'k': (*K[:1], 30.0, *K[2:])}, 'rows (fx 0 cx), (0 fy cy), (0 0 1)'),
        ({'k': (*K[:8], 0.0)}, 'rows (fx 0 cx), (0 fy cy), (0 0 1)'),
        ({'k': (4.2, 0.0, 319.5, 0.0, 4.2, 239.5, 0.0, 0.0, 1.0)}, 'millimetres?'),
        ({'roi': (400, 0, 320, 240)}, 'inside 640x480 pixels, found 320x240 at (400, 0)'),
        ({'model': 'double_sphere', 'd': (0.0,) * 4}, "found 'double_sphere' with 4"),
        ({'model': 'thin_prism'}, "found 'thin_prism' with 5"),
        ({'model': 'equidistant'}, "found 'equidistant' with 5"),
        ({'d': (0.1, float('inf'), 0, 0, 0)}, 'finite distortion coefficients'),
        ({'r': (2.0, 0, 0, 0, 2, 0, 0, 0, 2)}, 'a rotation matrix in R'),
    ],
)
def test_a_calibration_that_cannot_be_used_says_why(changes, words):
    with pytest.raises(InputError) as error:
        make_camera(calibration('plumb_bob', **changes))
    assert words in str(error.value)


def test_an_uncalibrated_rectification_counts_as_none():
    camera = make_camera(calibration('plumb_bob', r=(0.0,) * 9))
    assert camera == make_camera(calibration('plumb_bob'))
