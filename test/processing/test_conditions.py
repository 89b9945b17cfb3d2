"""Images under conditions: seeded, the heavier the farther from the original, and as named."""

from __future__ import annotations

import cv2
from espnet_ros.processing.conditions import CONDITIONS, degrade, SEVERITIES
from espnet_ros.sources.street import StreetSource
import numpy as np
import pytest


@pytest.fixture(scope='module')
def street() -> np.ndarray:
    return StreetSource(size=(180, 320)).frame(0).image_bgr


@pytest.mark.parametrize('condition', CONDITIONS)
def test_equal_seeds_give_equal_images_and_the_original_stays(
    condition: str, street: np.ndarray
) -> None:
    before = street.copy()
    first, second = (degrade(street, condition, 2, (3, 4)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(street, before)
    assert first.shape == street.shape
    assert first.dtype == np.uint8
    if condition != 'jpeg':
        assert (degrade(street, condition, 2, (3, 5)) != first).any()


@pytest.mark.parametrize('condition', CONDITIONS)
def test_each_severity_is_farther_from_the_original(condition: str, street: np.ndarray) -> None:
    distances = [
        float(np.abs(degrade(street, condition, severity).astype(int) - street).mean())
        for severity in SEVERITIES
    ]
    assert 0.5 < distances[0] < distances[1] < distances[2]


@pytest.mark.parametrize('condition', CONDITIONS)
@pytest.mark.parametrize('size', [(1, 1), (2, 500), (500, 2)])
def test_small_and_narrow_images_are_taken(condition: str, size: tuple[int, int]) -> None:
    assert degrade(np.full((*size, 3), 90, np.uint8), condition, 3).shape == (*size, 3)


def sharpness(image: np.ndarray) -> float:
    return float(cv2.Laplacian(image, cv2.CV_64F).std())


def test_each_condition_looks_as_it_is_called(street: np.ndarray) -> None:
    images = {name: degrade(street, name, 3) for name in CONDITIONS}
    assert images['night'].mean() < 0.5 * street.mean()
    far, near = (slice(80, 90), slice(160, 180))
    fog = images['fog']
    kept_far, kept_near = (fog[rows].std() / street[rows].std() for rows in (far, near))
    assert kept_far < 0.3, 'what is far is gone'
    assert kept_near > 2 * kept_far, 'what is near is seen'
    blue, _, red = images['dust'].reshape(-1, 3).mean(axis=0)
    assert red > blue + 20, 'dust is brown'
    assert sharpness(images['motion_blur']) < 0.7 * sharpness(street)
    assert sharpness(images['low_light_noise']) > 1.3 * sharpness(street)
    assert abs(images['low_light_noise'].mean() - street.mean()) < 25
    edges = np.abs(np.diff(images['jpeg'].astype(int), axis=1)).mean(axis=(0, 2))
    assert edges[7::8].mean() > 1.3 * np.delete(edges, np.s_[7::8]).mean(), 'blocks of 8'
    upright = np.abs(np.diff(images['rain'].astype(int), axis=0)).mean()
    across = np.abs(np.diff(images['rain'].astype(int), axis=1)).mean()
    assert across > 1.5 * upright, 'streaks fall'
