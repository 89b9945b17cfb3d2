"""How images get into a runtime: resized here into one batch, or as they are, size by size."""

from __future__ import annotations

from collections.abc import Sequence

from espnet_ros.processing.resize import resize_image
from espnet_ros.runtimes.base import Runtime
import numpy as np
from numpy.typing import NDArray


class ImageFeeder:
    """
    Makes batches of images for a runtime; its memory is used from batch to batch.

    :param runtime: opened
    :param shares_memory: whether batches lie in memory that the device reads, where the runtime
        has some; there is one of it, so one feeder alone may use it
    """

    def __init__(self, runtime: Runtime, *, shares_memory: bool = False) -> None:
        self._runtime = runtime
        self._shares_memory = shares_memory
        self._dtype = np.dtype(runtime.input_spec.dtype)
        self._memories: list[NDArray[np.generic]] = []

    def is_of(self, runtime: Runtime) -> bool:
        """Return whether it makes batches for a runtime."""
        return self._runtime is runtime

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
            batch = self.reserve(index, len(images_bgr), self._runtime.model.info.input_size)
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
            memory = self._memories[index] = self._allocate(index, count, size)
        return memory[:count]

    def _goes_in(self, image: NDArray[np.uint8]) -> bool:
        return self._runtime.takes((image.shape[0], image.shape[1]))

    def _allocate(self, index: int, count: int, size: tuple[int, int]) -> NDArray[np.generic]:
        if self._shares_memory and index == 0:
            return self._runtime.allocate_batch(count, size)
        return np.empty((count, *size, 3), self._dtype)
