"""A mask tells whether its camera looks where its pose says."""

import math

from espnet_ros.exceptions import InputError
from espnet_ros.planning.geometry.pose import mounted_pose
from espnet_ros.planning.observer import GroundObserver
import numpy as np
import pytest

from ..scenes import LABELS, make_test_camera, Road, RULES

CAMERA = make_test_camera(size=(256, 512), focal=(350.0, 350.0))
PITCH_RAD = 0.1


def wrong_share(labels, pitch_rad=PITCH_RAD, *, most=0.25, **mount):
    observer = GroundObserver(RULES, correct_pitch=False)
    seen = observer.observe(CAMERA, mounted_pose(1.4, pitch_rad=pitch_rad, **mount), labels)
    observer.check_horizon(seen, most)
    return observer.wrong_share


@pytest.fixture(scope='module')
def labels():
    return Road().render(CAMERA, mounted_pose(1.4, pitch_rad=PITCH_RAD))


@pytest.mark.parametrize('error_deg', [0, 3, -3])
def test_a_pose_that_is_right_but_for_a_hill_contradicts_nothing(labels, error_deg):
    assert wrong_share(labels, PITCH_RAD + math.radians(error_deg)) == 0.0


def test_a_pitch_that_is_much_off_shows(labels):
    for error_deg in (10, -15):
        assert 0.05 < wrong_share(labels, PITCH_RAD + math.radians(error_deg)) <= 0.25


@pytest.mark.parametrize('mount', [{'pitch_rad': 0.6}, {'roll_rad': math.pi}])
def test_a_camera_that_looks_elsewhere_is_refused(labels, mount):
    with pytest.raises(InputError, match='% of them on the other side'):
        wrong_share(labels, **mount)
    assert wrong_share(labels, most=1.0, **mount) > 0.25


def test_an_image_that_is_upside_down_is_refused(labels):
    with pytest.raises(InputError, match='or its image is turned'):
        wrong_share(np.ascontiguousarray(labels[::-1, ::-1]))


def test_a_mask_without_road_and_sky_contradicts_nothing():
    assert wrong_share(np.full(CAMERA.size, LABELS.id_of('building'), np.uint8)) == 0.0


@pytest.mark.parametrize(('rest', 'blob', 'row'), [('building', 'road', 20), ('tree', 'sky', 230)])
def test_a_small_mistake_of_the_network_says_nothing_of_the_pose(rest, blob, row):
    """As close to a wall, where nearly nothing of road and sky is seen."""
    labels = np.full(CAMERA.size, LABELS.id_of(rest), np.uint8)
    labels[row : row + 20, 200:240] = LABELS.id_of(blob)
    assert wrong_share(labels) <= 0.25
