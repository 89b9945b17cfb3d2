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
