"""What turns the label map of a network into the mask that the user wants."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
from espnet_ros.exceptions import InputError
from espnet_ros.processing.resize import resize_labels
import numpy as np
from numpy.typing import NDArray


class Rectangle(NamedTuple):
    """A part of an image in pixels, at least one pixel wide and high."""

    x: int
    y: int
    width: int
    height: int

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)


def clip_roi(roi: tuple[int, ...], image_size: tuple[int, int]) -> Rectangle:
    """
    Return the part of an image that a region of interest covers.

    :param roi: x, y, width, height in pixels; four zeros are the whole image
    :param image_size: (height, width)
    :raises InputError: the region lies outside the image
    """
    height, width = image_size
    if not any(roi):
        return Rectangle(0, 0, width, height)
    x, y = roi[0], roi[1]
    if x >= width or y >= height:
        raise InputError(
            f'roi: expected a region that overlaps the image of {width}x{height} pixels, found '
            f'x={x}, y={y}, width={roi[2]}, height={roi[3]}; change roi or the camera resolution'
        )
    return Rectangle(x, y, min(roi[2], width - x), min(roi[3], height - y))


def scale_rectangle(
    part: Rectangle, image_size: tuple[int, int], mask_size: tuple[int, int]
) -> Rectangle:
    """
    Return the pixels of a mask that belong to a part of its image.

    :param image_size: (height, width) of the image
    :param mask_size: (height, width) of the mask
    """
    x, width = _scale_span(part.x, part.width, image_size[1], mask_size[1])
    y, height = _scale_span(part.y, part.height, image_size[0], mask_size[0])
    return Rectangle(x, y, width, height)


def _scale_span(start: int, length: int, full: int, scaled: int) -> tuple[int, int]:
    first = min(round(start * scaled / full), scaled - 1)
    last = max(round((start + length) * scaled / full), first + 1)
    return first, last - first


def remap_ids(labels: NDArray[np.uint8], table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """
    Replace every id by its entry in a table, as in :meth:`LabelSet.group_table`.

    :param labels: uint8, (H, W)
    :param table: uint8, (256,)
    :return: an array of the caller's own
    """
    return np.asarray(cv2.LUT(labels, table), np.uint8)


def threshold_byte(threshold: float) -> int:
    """Return the lowest confidence byte that is not below a threshold of 0 to 1."""
    return math.ceil(threshold * 255)


def apply_confidence_threshold(
    labels: NDArray[np.uint8], confidence: NDArray[np.uint8], threshold: float, unlabelled_id: int
) -> NDArray[np.uint8]:
    """
    Make the pixels unlabelled whose confidence is below a threshold.

    :param labels: uint8, (H, W)
    :param confidence: uint8, (H, W), 0..255
    :param threshold: 0 to 1
    :return: an array of the caller's own
    """
    return np.where(confidence < threshold_byte(threshold), np.uint8(unlabelled_id), labels)


def paste_into_roi(
    values: NDArray[np.uint8], size: tuple[int, int], part: Rectangle, outside: int
) -> NDArray[np.uint8]:
    """
    Resize a label or confidence map to a part of a mask and fill the rest.

    :param values: uint8, (H, W)
    :param size: (height, width) of the mask
    :param part: where in the mask the map goes
    :param outside: value of all other pixels
    :return: an array of the caller's own, of shape ``size``
    """
    if part == (0, 0, size[1], size[0]):
        return resize_labels(values, size)
    mask = np.full(size, outside, np.uint8)
    mask[part.slices] = resize_labels(values, (part.height, part.width))
    return mask
