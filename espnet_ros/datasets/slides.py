"""Labelled pictures too large for memory, as slides of pathology: windows of them, read lazily."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from espnet_ros.datasets.base import Pair, PairDataset, Sample
from espnet_ros.exceptions import InputError
from espnet_ros.labels import LabelSet
from espnet_ros.sources.tiff_reader import SlideReader
import numpy as np
from numpy.typing import NDArray

_TRUTH_ROWS = 64


@dataclass(frozen=True)
class _Place:
    """Where a window lies, in pixels of the picture of a pair."""

    pair: int
    top: int
    left: int


class SlideDataset(PairDataset):
    """
    Windows of TIFF pictures whose labels are TIFF files of the same size.

    In epoch 0 they lie side by side and cover every picture once, so that each pixel counts once;
    in the others each is shifted by chance, so that no place is always at a border. Only the
    parts of the files below a window are read.

    :param pairs: paths of pictures and of their labels: ids, or the colours of the label set
    :param window: (height, width) of windows; those at the last edges may be smaller in epoch 0
    :raises InputError: there are no pairs, a file is none, or the sizes of a pair differ
    """

    is_of_slides = True

    def __init__(
        self, name: str, label_set: LabelSet, pairs: Sequence[Pair], window: tuple[int, int]
    ) -> None:
        super().__init__(name, label_set, pairs)
        self._window = window
        self._sizes = tuple(_size_of(*pair) for pair in self.pairs)
        self._places = tuple(
            _Place(pair, top, left)
            for pair, (height, width) in enumerate(self._sizes)
            for top in range(0, height, window[0])
            for left in range(0, width, window[1])
        )

    def __len__(self) -> int:
        return len(self._places)

    def load(self, index: int, epoch: int = 0) -> Sample:
        place = self._places[index]
        top, left = place.top, place.left
        size = self._sizes[place.pair]
        height, width = map(min, self._window, size)
        if epoch:
            random = np.random.default_rng((epoch, index))
            top, left = (
                min(max(start + int(random.integers(-side // 2, side // 2 + 1)), 0), whole - side)
                for start, side, whole in zip((top, left), (height, width), size, strict=True)
            )
        height, width = min(height, size[0] - top), min(width, size[1] - left)
        image_path, label_path = self.pairs[place.pair]
        with SlideReader(image_path) as picture, SlideReader(label_path) as truth:
            image_bgr = picture.read_bgr(top, left, height, width)
            raw = truth.read(top, left, height, width)
        name = f'{image_path.stem}_{top}_{left}'
        return Sample(name, image_bgr, self.classify(_flat(raw), label_path))

    def truth_of(self, pair: int, top: int, height: int) -> Iterator[NDArray[np.uint8]]:
        """
        Give rows of the labels of a picture, a few at a time.

        :param pair: index into :attr:`pairs`
        :return: uint8, (rows, width)
        :raises InputError: the file is damaged, or not labels of this data set
        """
        label_path = self.pairs[pair][1]
        width = self._sizes[pair][1]
        with SlideReader(label_path) as truth:
            for row in range(top, top + height, _TRUTH_ROWS):
                raw = truth.read(row, 0, min(_TRUTH_ROWS, top + height - row), width)
                yield self.classify(_flat(raw), label_path)


def _size_of(image_path: Path, label_path: Path) -> tuple[int, int]:
    with SlideReader(image_path) as picture, SlideReader(label_path) as truth:
        if picture.size != truth.size:
            raise InputError(
                f'{label_path}: expected labels of the size of {image_path.name} '
                f'({picture.size[0]}x{picture.size[1]}), found {truth.size[0]}x{truth.size[1]}'
            )
        return picture.size


def _flat(raw: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return raw[..., 0] if raw.shape[2] == 1 else raw
