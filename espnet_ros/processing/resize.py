"""Resizing of images (bilinear) and label maps (nearest neighbour)."""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

PixelT = TypeVar('PixelT', np.uint8, np.float32)


def resize_image(image: NDArray[PixelT], dst: NDArray[PixelT]) -> None:
    """
    Resize an image into an array of the wanted size, bilinear with aligned pixel centres.

    It is what the networks were trained with, for enlarging and reducing alike; reducing
    by exactly two averages four pixels.

    :param image: (H, W, 3), uint8 or float32; may be a view with padded rows
    :param dst: (height, width, 3) of the same type, written to
    """
    height, width = dst.shape[:2]
    if image.shape[:2] == (height, width):
        np.copyto(dst, image)
    else:
        cv2.resize(image, (width, height), dst=dst, interpolation=cv2.INTER_LINEAR)


def resize_labels(labels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """
    Resize a label or confidence map; every pixel takes the value nearest to its centre.

    :param labels: uint8, (H, W)
    :param size: (height, width) in pixels
    :return: an array of the caller's own
    """
    if labels.shape == size:
        return labels.copy()
    height, width = size
    resized = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(resized, np.uint8)


def reduce_image(image: NDArray[np.uint8], max_width: int) -> NDArray[np.uint8]:
    """
    Return an image as wide as is allowed, averaged over the pixels that become one.

    :param image: uint8, (H, W, 3)
    :param max_width: pixels; 0 is no limit
    :return: the image itself where it is no wider
    """
    size = _reduced_size(image.shape[:2], max_width)
    if size == image.shape[:2]:
        return image
    reduced = cv2.resize(image, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(reduced, np.uint8)


def reduce_labels(labels: NDArray[np.uint8], max_width: int) -> NDArray[np.uint8]:
    """
    Return a label map as wide as is allowed, by nearest neighbour.

    :param labels: uint8, (H, W)
    :param max_width: pixels; 0 is no limit
    :return: the map itself where it is no wider
    """
    size = _reduced_size(labels.shape, max_width)
    return labels if size == labels.shape else resize_labels(labels, size)


def _reduced_size(size: tuple[int, ...], max_width: int) -> tuple[int, int]:
    height, width = size[:2]
    if not max_width or width <= max_width:
        return height, width
    return max(1, round(height * max_width / width)), max_width
