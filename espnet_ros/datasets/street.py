"""The synthetic street as a labelled data set."""

from __future__ import annotations

from functools import lru_cache
import math
import threading

import cv2
from espnet_ros.datasets.base import LabelledDataset, Sample
from espnet_ros.exceptions import ConfigError
from espnet_ros.labels import load_label_set
from espnet_ros.sources.street import StreetSource
import numpy as np
from numpy.typing import NDArray

FRAMES_PER_STREET = 4
_KEPT_STREETS = 8
_FRAME_STEP = 250
_RATE_HZ = 25.0
_WIDE_ASPECT = 16 / 9


class StreetDataset(LabelledDataset):
    """
    Frames of many streets, seen by cameras of different heights, pitches and lenses.

    Every second street is seen by a camera of 16:9 and squeezed to the requested size, as a
    network's input is.

    :param first_seed: the streets are this one and those after it; a validation set takes
        others than the training set
    :param endless: whether each epoch has other frames; otherwise all show the same, which are
        rendered once and kept in memory (0.7 MB a frame of 360x480)
    :raises ConfigError: no frames
    """

    def __init__(
        self,
        length: int,
        *,
        first_seed: int = 0,
        size: tuple[int, int] = (360, 480),
        endless: bool = True,
    ) -> None:
        if length < 1:
            raise ConfigError(f'synthetic street: expected at least 1 frame, found {length}')
        height, width = size
        super().__init__(f'synthetic street {width}x{height}', load_label_set('camvid'))
        self._length = length
        self._first_seed = first_seed
        self._size = size
        self._endless = endless
        # Rendering holds the interpreter most of the time, so threads would gain nothing.
        self._lock = threading.Lock()
        self._street = lru_cache(_KEPT_STREETS)(self._open_street)
        self._kept: dict[int, Sample] = {}

    def __len__(self) -> int:
        return self._length

    def load(self, index: int, epoch: int = 0) -> Sample:
        with self._lock:
            if self._endless:
                return self._render(index + epoch * self._length)
            if index not in self._kept:
                # A street takes longer to build than its frames: all of them while it stands.
                first = index - index % FRAMES_PER_STREET
                for number in range(first, min(first + FRAMES_PER_STREET, self._length)):
                    self._kept[number] = self._render(number)
            return self._kept[index]

    def _render(self, number: int) -> Sample:
        street, part = divmod(number, FRAMES_PER_STREET)
        frame = self._street(self._first_seed + street).frame(part * _FRAME_STEP)
        if frame.labels is None:
            raise ConfigError('synthetic street: expected frames with labels, found none')
        image: NDArray[np.integer] = frame.image_bgr
        labels: NDArray[np.integer] = frame.labels
        if labels.shape != self._size:
            columns_rows = self._size[::-1]
            image = np.asarray(cv2.resize(image, columns_rows, interpolation=cv2.INTER_AREA))
            labels = np.asarray(cv2.resize(labels, columns_rows, interpolation=cv2.INTER_NEAREST))
        name = f'street_{self._first_seed + street}_{part}'
        return Sample(name, image.astype(np.uint8), labels.astype(np.uint8))

    def _open_street(self, seed: int) -> StreetSource:
        generator = np.random.default_rng((seed, FRAMES_PER_STREET))
        height, width = self._size
        return StreetSource(
            size=(height, width if seed % 2 == 0 else round(height * _WIDE_ASPECT)),
            rate_hz=_RATE_HZ,
            seed=seed,
            height_m=generator.uniform(1.1, 2.0),
            pitch_rad=generator.uniform(-0.02, 0.1),
            field_of_view_rad=math.radians(generator.uniform(48, 80)),
        )
