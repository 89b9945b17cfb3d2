"""
Joint augmentation of images and labels.

One affine map does scale, crop and mirror, so pixels are resampled once. Whatever is drawn
comes from the generator that is handed in: one made from (seed, epoch, index) gives the same
sample in every process and after every resume.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
from espnet_ros.datasets.base import IGNORED
from espnet_ros.exceptions import ConfigError
from espnet_ros.processing.condition_names import CONDITION_NAMES
from espnet_ros.processing.conditions import degrade, SEVERITIES
import numpy as np
from numpy.typing import NDArray

BORDER_BGR = (114, 114, 114)
"""Colour outside the image; its labels are ``IGNORED``."""

_LUMA_BGR = np.array([0.114, 0.587, 0.299], np.float32)


@dataclass(frozen=True)
class Augmentation:
    """
    How samples are varied.

    :param crop: (height, width) in pixels of what the network sees
    :param scales: lowest and highest factor on the size of the image
    :param aspect: largest change of the aspect ratio, in octaves; cameras' images are squeezed
        to the size of a network's input: from 16:9 to 4:3 is 0.42
    :param mirror: whether half of the samples are mirrored left to right
    :param brightness: largest relative change of brightness
    :param contrast: largest relative change of contrast
    :param saturation: largest relative change of saturation
    :param white_balance: largest relative change of one channel
    :param gamma: largest change of gamma, in octaves
    :param conditions: share of the samples that are seen under a condition, such as fog or motion
        blur, of any severity (:mod:`espnet_ros.processing.conditions`)
    :param class_mix: share of the samples into which half of the classes of another sample are
        pasted (Olsson et al., "ClassMix", WACV 2021)
    :raises ConfigError: an empty crop, a negative aspect, a share that is none, or scales that are
        not above zero and in order
    """

    crop: tuple[int, int]
    scales: tuple[float, float] = (1.0, 1.0)
    aspect: float = 0.0
    mirror: bool = True
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    white_balance: float = 0.0
    gamma: float = 0.0
    conditions: float = 0.0
    class_mix: float = 0.0

    def __post_init__(self) -> None:
        if min(self.crop) < 1:
            raise ConfigError(f'crop: expected a height and width above 0, found {self.crop}')
        if not 0 < self.scales[0] <= self.scales[1]:
            raise ConfigError(
                f'scales: expected a lowest and a highest factor above 0, found {self.scales}'
            )
        if self.aspect < 0:
            raise ConfigError(f'aspect: expected 0 or more octaves, found {self.aspect}')
        for name in ('conditions', 'class_mix'):
            share = getattr(self, name)
            if not 0 <= share <= 1:
                raise ConfigError(f'{name}: expected a share of 0 to 1, found {share}')

    def apply(
        self,
        image_bgr: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        generator: np.random.Generator,
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """
        Return a varied crop of an image and its labels.

        :param image_bgr: uint8, (H, W, 3); not changed
        :param labels: uint8, (H, W); not changed
        :return: image (crop, 3) and labels (crop); outside the image ``IGNORED``
        """
        height, width = self.crop
        matrix = self._draw_map(labels.shape, generator)
        image = cv2.warpAffine(
            image_bgr,
            matrix,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=BORDER_BGR,
        )
        varied = cv2.warpAffine(
            labels,
            matrix,
            (width, height),
            flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=IGNORED,
        )
        colored = self._vary_color(np.asarray(image, np.uint8), generator)
        return self._draw_condition(colored, generator), np.asarray(varied, np.uint8)

    def draws_mix(self, generator: np.random.Generator) -> bool:
        """Return whether a sample gets classes of another one; draws nothing where none does."""
        return self.class_mix > 0 and generator.random() < self.class_mix

    def _draw_condition(
        self, image: NDArray[np.uint8], generator: np.random.Generator
    ) -> NDArray[np.uint8]:
        if not self.conditions or generator.random() >= self.conditions:
            return image
        name = CONDITION_NAMES[generator.integers(len(CONDITION_NAMES))]
        severity = SEVERITIES[generator.integers(len(SEVERITIES))]
        return degrade(image, name, severity, (int(generator.integers(1 << 31)),))

    def _draw_map(
        self, size: tuple[int, ...], generator: np.random.Generator
    ) -> NDArray[np.float64]:
        """Return the (2, 3) map from pixels of the crop to pixels of the image."""
        low, high = np.log(self.scales)
        scale = float(np.exp(generator.uniform(low, high)))
        stretch = 2.0 ** (self.aspect / 2 * generator.uniform(-1, 1)) if self.aspect else 1.0
        # Pixels of the image that one of the crop covers.
        down, across = 1 / (scale * stretch), stretch / scale
        # Where the scaled image is smaller than the crop, the spare room is divided by chance.
        top, left = (
            _uniform(generator, 0.0, whole - crop * step)
            for whole, crop, step in zip(size, self.crop, (down, across), strict=True)
        )
        mirrored = self.mirror and generator.random() < 0.5
        # Pixel centres lie half a pixel inside.
        offset = left + across / 2 - 0.5
        row = [-across, 0.0, left + self.crop[1] * across - across / 2 - 0.5]
        return np.array(
            [row if mirrored else [across, 0.0, offset], [0.0, down, top + down / 2 - 0.5]]
        )

    def _vary_color(
        self, image: NDArray[np.uint8], generator: np.random.Generator
    ) -> NDArray[np.uint8]:
        """Return the image after gamma, brightness, contrast, white balance and saturation."""
        draws = generator.uniform(-1, 1, 7)
        gamma = 2.0 ** (self.gamma * draws[0])
        gain = (1 + self.brightness * draws[1]) * (1 + self.white_balance * draws[2:5])
        contrast = 1 + self.contrast * draws[5]
        saturation = np.float32(1 + self.saturation * draws[6])
        curve = 255 * np.linspace(0, 1, 256)[:, None] ** gamma * gain
        curve = (curve - 128) * contrast + 128
        table = np.clip(np.rint(curve), 0, 255).astype(np.uint8)
        varied = cv2.LUT(image, table[:, None, :].reshape(1, 256, 3))
        if self.saturation:
            mix = saturation * np.eye(3, dtype=np.float32) + (1 - saturation) * _LUMA_BGR
            varied = cv2.transform(varied, mix)
        return np.asarray(varied, np.uint8)


def _uniform(generator: np.random.Generator, one: float, other: float) -> float:
    return float(generator.uniform(min(one, other), max(one, other)))


def mix_classes(
    below: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    above: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    generator: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """
    Paste half of the classes of one sample over another.

    :param below: image (H, W, 3) and labels (H, W) of the sample that is pasted into; not changed
    :param above: the sample of the same size that the classes are of
    :return: image and labels of the mixture
    """
    present = np.unique(above[1])
    present = present[present != IGNORED]
    taken = generator.permutation(present)[: (len(present) + 1) // 2]
    mask = np.isin(above[1], taken)
    return np.where(mask[..., None], above[0], below[0]), np.where(mask, above[1], below[1])
