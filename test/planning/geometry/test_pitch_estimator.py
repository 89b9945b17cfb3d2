"""The pitch that road and sky tell."""

from __future__ import annotations

import math

from espnet_ros.planning.geometry.pitch_estimator import PitchEstimator
from espnet_ros.planning.geometry.pose import mounted_pose
import numpy as np
import pytest

from ..scenes import make_test_camera, NOTHING, ROAD, Road, SKY

CAMERA = make_test_camera()
PLAIN = Road(road_half_m=1e9)
GROUND, SKIES = np.zeros(256, bool), np.zeros(256, bool)
GROUND[ROAD] = SKIES[SKY] = True


def estimate(assumed_rad, true_rad, masks=40):
    estimator = PitchEstimator(CAMERA, mounted_pose(1.4, pitch_rad=assumed_rad), GROUND, SKIES)
    labels = PLAIN.render(CAMERA, mounted_pose(1.4, pitch_rad=true_rad))
    for _ in range(masks):
        estimator.update(labels)
    return estimator.correction_rad


@pytest.mark.parametrize('error_deg', [-3.0, -0.8, 0.8, 3.0])
def test_a_wrong_pitch_is_found_where_road_meets_sky(error_deg):
    error = math.radians(error_deg)
    assert estimate(0.1, 0.1 + error) == pytest.approx(error, abs=math.radians(0.2))


def test_a_right_pitch_stays_exactly_as_it_is():
    assert estimate(0.1, 0.1) == 0.0


def test_the_correction_is_limited_and_comes_smoothly():
    assert abs(estimate(0.1, 0.4)) <= math.radians(5.0)
    once = estimate(0.1, 0.15, masks=1)
    assert 0 < once < 0.5 * 0.05


def test_a_mask_without_road_and_sky_changes_nothing():
    estimator = PitchEstimator(CAMERA, mounted_pose(1.4), GROUND, SKIES)
    assert estimator.update(np.full(CAMERA.size, NOTHING, np.uint8)) == 0.0


def test_a_roof_line_hides_the_horizon_without_moving_it():
    estimator = PitchEstimator(CAMERA, mounted_pose(1.4, pitch_rad=0.1), GROUND, SKIES)
    labels = PLAIN.render(CAMERA, mounted_pose(1.4, pitch_rad=0.1))
    labels[100:260] = 1  # buildings from above the horizon to below it
    for _ in range(20):
        estimator.update(labels)
    assert estimator.correction_rad == 0.0
