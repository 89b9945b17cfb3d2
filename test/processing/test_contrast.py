"""What shows nothing is told from what is dark, foggy or dusty."""

import cv2
from espnet_ros.config import SegmentationNodeSettings
from espnet_ros.exceptions import InputError
from espnet_ros.processing.conditions import degrade
from espnet_ros.processing.contrast import check_bit_depth, check_contrast, contrast_of
from espnet_ros.sources.street import StreetSource
import numpy as np
import pytest

LEAST = SegmentationNodeSettings().min_contrast
SIZE = (270, 480)


@pytest.fixture(scope='module')
def street_bgr():
    return next(iter(StreetSource(size=SIZE, seed=2))).image_bgr


def covered(noise, size=SIZE):
    """Return what the sensor behind a covered lens gives."""
    values = np.random.default_rng(1).normal(20, noise, (*size, 3))
    return np.clip(values, 0, 255).astype(np.uint8)


@pytest.mark.parametrize('value', [0, 64, 255])
@pytest.mark.parametrize('size', [(1, 1), (3, 2000), SIZE])
def test_one_colour_shows_nothing(value, size):
    with pytest.raises(InputError, match=f'found 0 at a mean brightness of {value} of 255'):
        check_contrast(np.full((*size, 3), value, np.uint8), LEAST)


@pytest.mark.parametrize('noise', [1, 5, 10])
@pytest.mark.parametrize('size', [(120, 160), (1080, 1920)])
def test_noise_behind_a_covered_lens_shows_nothing(noise, size):
    with pytest.raises(InputError, match='is the lens covered'):
        check_contrast(covered(noise, size), LEAST)


@pytest.mark.parametrize('condition', ['night', 'fog', 'dust', 'low_light_noise'])
def test_the_worst_weather_shows_something(street_bgr, condition):
    found = contrast_of(degrade(street_bgr, condition, 3))
    assert found >= 2 * LEAST
    check_contrast(degrade(street_bgr, condition, 3), LEAST)


def test_a_sixteenth_of_the_light_is_enough(street_bgr):
    check_contrast(street_bgr // 16, LEAST)
    with pytest.raises(InputError, match='image_bit_depth'):
        check_contrast(street_bgr // 64, LEAST)


def test_a_few_bright_pixels_are_no_picture():
    image_bgr = covered(3)
    cv2.circle(image_bgr, (240, 100), 12, (255, 255, 255), -1)
    with pytest.raises(InputError, match='expected an image with a contrast'):
        check_contrast(image_bgr, LEAST)


def test_who_wants_more_contrast_gets_it(street_bgr):
    check_contrast(street_bgr, 20)
    with pytest.raises(InputError, match='contrast of 255 or more'):
        check_contrast(street_bgr, 255)


def test_zero_takes_every_image():
    check_contrast(covered(0), 0)


def test_deep_images_of_a_camera_with_fewer_bits_are_refused(street_bgr):
    with pytest.raises(InputError, match='none that needs more than 12; set image_bit_depth'):
        check_bit_depth(street_bgr // 16, 'mono16', 16)
    check_bit_depth(street_bgr // 8, 'mono16', 16)
    check_bit_depth(street_bgr // 16, 'mono8', 16)
    check_bit_depth(street_bgr // 16, 'mono16', 12)
