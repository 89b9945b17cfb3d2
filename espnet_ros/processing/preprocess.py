"""
How images become batches of a runtime: cropped, and resized into one batch.

Images that the runtime takes as they are go into a batch for each of their sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import cv2
from espnet_ros.exceptions import InputError
import numpy as np
from numpy.typing import NDArray

PixelT = TypeVar('PixelT', np.uint8, np.float32)


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


@dataclass(frozen=True)
class Crop:
    """The part of an image, of (height, width), that the network sees."""

    image_size: tuple[int, int]
    part: Rectangle


def find_crop(image_bgr: NDArray[np.uint8], roi: tuple[int, ...]) -> Crop:
    """
    Return the part of an image that a region of interest covers.

    :raises InputError: it is no such image, or the region lies outside it
    """
    check_image(image_bgr)
    size = (image_bgr.shape[0], image_bgr.shape[1])
    return Crop(size, clip_roi(roi, size))


def check_image(image_bgr: NDArray[np.uint8]) -> None:
    """
    Check that the segmenter takes an image.

    :raises InputError: it is not uint8 of shape (H, W, 3), or has no pixels
    """
    if image_bgr.dtype != np.uint8 or image_bgr.ndim != 3 or image_bgr.shape[2] != 3:
        raise InputError(
            'expected a BGR image of type uint8 and shape (height, width, 3), found '
            f'{image_bgr.dtype} of shape {image_bgr.shape}; convert gray, float or alpha '
            'images to BGR first'
        )
    if image_bgr.size == 0:
        raise InputError(f'expected an image with pixels, found one of shape {image_bgr.shape}')


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


class ImageFeeder:
    """
    Makes batches of images for a runtime; its memory is used from batch to batch.

    :param network_size: (height, width) that images are resized to
    :param dtype: numpy name of the type of batches
    :param takes: tells whether images of (height, width) go in as they are
    :param allocate: returns memory that the device reads, for so many images of a size; there is
        one of it, so one feeder alone may use it. None takes memory of the host
    """

    def __init__(
        self,
        network_size: tuple[int, int],
        dtype: str,
        takes: Callable[[tuple[int, int]], bool],
        allocate: Callable[[int, tuple[int, int]], NDArray[np.generic]] | None = None,
    ) -> None:
        self._network_size = network_size
        self._dtype = np.dtype(dtype)
        self._takes = takes
        self._allocate = allocate
        self._memories: list[NDArray[np.generic]] = []

    def group(self, images_bgr: Sequence[NDArray[np.uint8]]) -> list[list[int]]:
        """Return which images go into a batch together, by their places."""
        groups: dict[tuple[int, ...], list[int]] = {}
        for place, image in enumerate(images_bgr):
            groups.setdefault(image.shape if self._goes_in(image) else (), []).append(place)
        return list(groups.values())

    def fill(self, index: int, images_bgr: Sequence[NDArray[np.uint8]]) -> NDArray[np.generic]:
        """
        Return a batch of images that :meth:`group` put together.

        :param images_bgr: uint8, (H, W, 3) each, which may be views with padded rows
        :return: valid until the next call of this index, and as long as a single image is
        """
        first = images_bgr[0]
        if not self._goes_in(first):
            batch = self.reserve(index, len(images_bgr), self._network_size)
            for image, slot in zip(images_bgr, batch, strict=True):
                resize_image(image.astype(self._dtype, copy=False), slot)
            return batch
        if len(images_bgr) == 1 and first.dtype == self._dtype and first.flags.c_contiguous:
            return first[np.newaxis]  # the runtime copies it where it has to
        batch = self.reserve(index, len(images_bgr), (first.shape[0], first.shape[1]))
        for image, slot in zip(images_bgr, batch, strict=True):
            np.copyto(slot, image)
        return batch

    def reserve(self, index: int, count: int, size: tuple[int, int]) -> NDArray[np.generic]:
        """Return memory for so many images of (height, width) in a group."""
        while len(self._memories) <= index:
            self._memories.append(np.empty((0, 0, 0, 3), self._dtype))
        memory = self._memories[index]
        if len(memory) < count or memory.shape[1:3] != size:
            if self._allocate is not None and index == 0:
                memory = self._allocate(count, size)
            else:
                memory = np.empty((count, *size, 3), self._dtype)
            self._memories[index] = memory
        return memory[:count]

    def _goes_in(self, image: NDArray[np.uint8]) -> bool:
        return self._takes((image.shape[0], image.shape[1]))


def limit_threads(count: int) -> None:
    """Let OpenCV take so many threads in this process, where several share a machine."""
    cv2.setNumThreads(count)
