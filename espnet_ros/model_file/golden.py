"""
The golden output: an image and its labels, by which an engine is checked where it runs.

The image is made of integers alone, so that it is the same on every machine, with every
version of numpy; the labels are those of a CPU runtime in fp32, written into the model file at
export. They take some kilobytes.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace
import hashlib
import json
from typing import Any
import zlib

from espnet_ros.model_file.file_format import ModelFile
import numpy as np
from numpy.typing import NDArray

_LARGEST_BYTES = 1 << 26


@dataclass(frozen=True)
class GoldenOutput:
    """
    The labels of the golden image.

    :param labels: uint8, (H, W), in fp32 on a CPU
    """

    seed: int
    labels: NDArray[np.uint8]

    @property
    def size(self) -> tuple[int, int]:
        return self.labels.shape[0], self.labels.shape[1]


def make_golden_image(seed: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """
    Return a picture with the layout of a street, the same everywhere.

    :return: uint8, (height, width, 3), BGR
    """
    height, width = size
    y, x = np.mgrid[:height, :width].astype(np.int64)
    row, column = 1000 * y // height, 1000 * x // width
    image = np.stack([230 - row // 8, 200 - row // 6, 180 - row // 5], axis=-1)
    houses = _hash(column // 120, seed)
    is_house = (row > 120 + houses % 200) & (row < 480) & (np.abs(column - 500) > 130)
    windows = 40 * ((column % 40 < 18) & (row % 60 < 30))
    _paint(image, is_house, (90 + houses % 60 - windows, 100 + houses % 70 - windows, 120))
    is_road = (row > 440) & (np.abs(column - 500) < 60 + (row - 440))
    is_ground = row > 440
    _paint(image, is_ground, (125, 128, 132))
    _paint(image, is_road, (88, 86, 85))
    is_line = is_road & (np.abs(column - 500) < (row - 420) // 50) & (row // 60 % 2 == 0)
    _paint(image, is_line, (225, 228, 230))
    for number in range(4):
        left = 150 + 190 * number + int(_hash(np.int64(number), seed)) % 60
        is_crown = (column - left) ** 2 + (row - 300) ** 2 < 3600
        _paint(image, is_crown & (number % 3 == 0), (40, 92 + houses % 20, 55))
        is_car = (np.abs(column - left) < 45) & (np.abs(row - 520) < 40)
        _paint(image, is_car, (40 + 50 * number, 40, 150 - 30 * number))
        _paint(image, is_car & (row < 510), (60, 55, 50))
    grain = _hash(y * 131071 + x, seed) % 13 - 6
    return np.clip(image + grain[..., np.newaxis], 0, 255).astype(np.uint8)


def with_golden_output(model: ModelFile, golden: GoldenOutput) -> ModelFile:
    """Return the model file with its golden output in its metadata; its path is gone."""
    image = make_golden_image(golden.seed, golden.size)
    content = {
        'seed': golden.seed,
        'size': golden.size,
        'image_sha256': hashlib.sha256(image.tobytes()).hexdigest(),
        'labels': base64.b64encode(zlib.compress(golden.labels.tobytes(), 9)).decode(),
    }
    return model.with_info(replace(model.info, self_check=json.dumps(content)))


def read_golden_output(model: ModelFile) -> GoldenOutput | None:
    """
    Return the golden output of a model file.

    :return: None where it has none, where it is for another input size, or where it cannot be
        read: the labels can be computed again
    """
    try:
        content = json.loads(model.info.self_check)
        height, width = content['size']
        seed = int(content['seed'])
        if (height, width) != model.info.input_size or height * width > _LARGEST_BYTES:
            return None
        data = zlib.decompress(base64.b64decode(content['labels'], validate=True))
        labels = np.frombuffer(data, np.uint8).reshape(height, width)
        image = make_golden_image(seed, (height, width))
        if hashlib.sha256(image.tobytes()).hexdigest() != content['image_sha256']:
            return None
    except (binascii.Error, KeyError, TypeError, ValueError, zlib.error):
        return None
    return GoldenOutput(seed, labels)


def _hash(values: NDArray[np.int64] | np.int64, seed: int) -> NDArray[np.int64]:
    """Return numbers from 0 to 65535 that look random."""
    mixed = (np.asarray(values, np.int64) + 977 * (seed + 1)) * 2654435761 % 4294967296
    mixed = (mixed ^ (mixed >> 15)) * 2246822519 % 4294967296
    return np.asarray((mixed ^ (mixed >> 13)) & 65535, np.int64)


def _paint(image: NDArray[np.int64], where: NDArray[np.bool_], color_bgr: tuple[Any, ...]) -> None:
    for channel, value in enumerate(color_bgr):
        image[..., channel] = np.where(where, value, image[..., channel])
