"""
The same images at night, in fog, rain and dust, with motion blur, noise and JPEG artefacts.

Each is a short recipe of its physics on linear light, made of numpy and OpenCV alone: fog and dust
follow Koschmieder's law (1924) over a flat ground seen by a level camera, sensor noise is that of
photons and of the read-out. What is random comes from a seed, so that two models see equal images.
"""

from __future__ import annotations

from collections.abc import Callable
import zlib

import cv2
from espnet_ros.processing.condition_names import CONDITION_NAMES
import numpy as np
from numpy.typing import NDArray

SEVERITIES = (1, 2, 3)

_GAMMA = 2.2
_HORIZON = 0.45
"""Where the horizon is, as a share of the height."""

_SUBPIXEL_BITS = 8

_Linear = NDArray[np.float32]
_Recipe = Callable[[_Linear, int, np.random.Generator], NDArray[np.floating]]


def degrade(
    image_bgr: NDArray[np.uint8], condition: str, severity: int, seed: tuple[int, ...] = (0,)
) -> NDArray[np.uint8]:
    """
    Return an image as it would be under a condition.

    :param image_bgr: uint8, (H, W, 3); not changed
    :param condition: one of :data:`CONDITIONS`
    :param severity: 1 light, 2 middle, 3 heavy
    :param seed: numbers that tell the image; equal ones give an equal image
    :return: uint8, (H, W, 3), BGR
    """
    generator = np.random.default_rng([*seed, zlib.crc32(condition.encode()), severity])
    linear = ((image_bgr / np.float32(255)) ** _GAMMA).astype(np.float32)
    changed = CONDITIONS[condition](linear, severity - 1, generator)
    values = 255 * np.clip(changed, 0, 1) ** (1 / _GAMMA)
    return np.asarray(np.rint(values), np.uint8)


def _night(linear: _Linear, level: int, generator: np.random.Generator) -> NDArray[np.floating]:
    """Take the day's light away, leave the headlights', and let the sensor amplify the rest."""
    height, width = linear.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    spot = np.exp(-(((columns / width - 0.5) / 0.3) ** 2) - ((rows / height - 0.7) / 0.2) ** 2)[
        ..., None
    ]
    gray = linear.mean(axis=2, keepdims=True)
    pale = (0.6 * linear + 0.4 * gray) * np.array([1.15, 0.95, 0.8], np.float32)
    ambient = (0.15, 0.06, 0.025)[level]
    return _sensor(pale * (ambient + 2 * ambient * spot), (4000, 2000, 1000)[level], generator)


def _fog(linear: _Linear, level: int, generator: np.random.Generator) -> NDArray[np.floating]:
    return _haze(linear, (1.0, 2.0, 4.0)[level], (0.62, 0.6, 0.58), generator)


def _dust(linear: _Linear, level: int, generator: np.random.Generator) -> NDArray[np.floating]:
    thin = _haze(linear, (0.8, 1.6, 3.2)[level], (0.16, 0.33, 0.52), generator)
    share = (0.1, 0.25, 0.4)[level]  # what hangs right before the lens
    return (1 - share) * thin + share * np.array([0.16, 0.33, 0.52], np.float32)


def _rain(linear: _Linear, level: int, generator: np.random.Generator) -> NDArray[np.floating]:
    """Draw streaks of drops over a wet, grayer scene."""
    height, width = linear.shape[:2]
    gray = _haze(0.75 * linear, (0.3, 0.6, 1.0)[level], (0.35, 0.33, 0.32), generator)
    drops = (generator.random((height, width)) < (0.002, 0.005, 0.01)[level]).astype(np.float32)
    length = max(3, round(height * (0.03, 0.05, 0.07)[level]))
    streaks = cv2.filter2D(drops, -1, _line(length, 80 + 20 * float(generator.random())))
    streaks *= length / 3
    return gray + 0.35 * np.minimum(streaks, 1)[..., None]


def _motion_blur(
    linear: _Linear, level: int, generator: np.random.Generator
) -> NDArray[np.floating]:
    """Move the camera while the shutter is open, mostly sideways as in a turn."""
    length = max(3, round(linear.shape[1] * (0.01, 0.02, 0.04)[level]))
    angle_deg = 20 * float(generator.random()) - 10
    blurred = cv2.filter2D(linear, -1, _line(length, angle_deg), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.float32)


def _low_light_noise(
    linear: _Linear, level: int, generator: np.random.Generator
) -> NDArray[np.floating]:
    """Count few photons, and amplify them to the brightness of before."""
    return _sensor(linear, (400, 120, 40)[level], generator)


def _jpeg(linear: _Linear, level: int, _: np.random.Generator) -> NDArray[np.floating]:
    image = np.rint(255 * linear ** (1 / _GAMMA)).astype(np.uint8)
    options = [cv2.IMWRITE_JPEG_QUALITY, (30, 15, 7)[level]]
    decoded = cv2.imdecode(cv2.imencode('.jpg', image, options)[1], cv2.IMREAD_COLOR)
    return np.asarray((np.asarray(decoded, np.float32) / 255) ** _GAMMA)


_RECIPES = (_night, _fog, _rain, _dust, _motion_blur, _low_light_noise, _jpeg)

CONDITIONS: dict[str, _Recipe] = dict(zip(CONDITION_NAMES, _RECIPES, strict=True))
"""What images can be seen under, by name."""


def _sensor(
    linear: NDArray[np.floating], photons: float, generator: np.random.Generator
) -> NDArray[np.floating]:
    """Return what a sensor reads that counts so many photons of full white."""
    noise = generator.standard_normal(linear.shape, np.float32)
    read_noise = 2.0 / photons
    sigma = np.sqrt(np.maximum(linear, 0) / photons + read_noise**2)
    return np.asarray(linear + noise * sigma, np.float32)


def _haze(
    linear: NDArray[np.floating],
    density: float,
    airlight_bgr: tuple[float, float, float],
    generator: np.random.Generator,
) -> NDArray[np.floating]:
    """Let the air scatter light, the more the farther a row of the ground is; the sky is far."""
    height, width = linear.shape[:2]
    below = np.arange(height, dtype=np.float32) / height - _HORIZON
    distance = np.minimum(0.1 / np.maximum(below, 1e-3), 2.0)[:, None]
    coarse = generator.random((4, 6), np.float32)
    patches = 0.75 + 0.5 * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    passed = np.exp(-density * distance * patches)[..., None]
    scattered = np.array(airlight_bgr, np.float32) * (1 - passed)
    return np.asarray(linear * passed + scattered, np.float32)


def _line(length: int, angle_deg: float) -> NDArray[np.float32]:
    """Return a kernel that averages along a line; 90 degrees is upright."""
    kernel = np.zeros((length, length), np.uint8)
    middle = (length - 1) / 2
    along = np.array([np.cos(np.radians(angle_deg)), -np.sin(np.radians(angle_deg))])
    ends = [
        np.rint((middle + sign * middle * along) * (1 << _SUBPIXEL_BITS)).astype(int).tolist()
        for sign in (-1, 1)
    ]
    cv2.line(kernel, ends[0], ends[1], 255, 1, cv2.LINE_AA, _SUBPIXEL_BITS)
    return np.asarray(kernel / kernel.sum(), np.float32)
