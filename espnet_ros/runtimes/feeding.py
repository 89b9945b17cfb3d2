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
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._memory = runtime.allocate_batch(1)

    def group(self, images_bgr: Sequence[NDArray[np.uint8]]) -> list[list[int]]:
        """Return which images go into a batch together, by their places."""
        if not self._runtime.resizes:
            return [list(range(len(images_bgr)))]
        groups: dict[tuple[int, ...], list[int]] = {}
        for place, image in enumerate(images_bgr):
            groups.setdefault(image.shape, []).append(place)
        return list(groups.values())

    def fill(self, images_bgr: Sequence[NDArray[np.uint8]]) -> NDArray[np.generic]:
        """
        Return a batch of images that :meth:`group` put together.

        :param images_bgr: uint8, (H, W, 3) each, which may be views with padded rows
        :return: valid until the next call, and as long as a single image is
        """
        dtype = self._memory.dtype
        if not self._runtime.resizes:
            batch = self.reserve(len(images_bgr), self._runtime.model.info.input_size)
            for image, slot in zip(images_bgr, batch, strict=True):
                resize_image(image.astype(dtype, copy=False), slot)
            return batch
        first = images_bgr[0]
        if len(images_bgr) == 1 and first.dtype == dtype and first.flags.c_contiguous:
            return first[np.newaxis]  # the runtime copies it where it has to
        batch = self.reserve(len(images_bgr), (first.shape[0], first.shape[1]))
        for image, slot in zip(images_bgr, batch, strict=True):
            np.copyto(slot, image)
        return batch

    def reserve(self, count: int, size: tuple[int, int]) -> NDArray[np.generic]:
        """Return memory for so many images of (height, width)."""
        if len(self._memory) < count or self._memory.shape[1:3] != size:
            self._memory = self._runtime.allocate_batch(count, size)
        return self._memory[:count]
