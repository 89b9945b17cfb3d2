"""What every labelled data set has, and how one pair of files is read and checked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
from espnet_ros.exceptions import InputError
from espnet_ros.labels import LabelSet, UNLABELLED_ID
from espnet_ros.processing.codecs import decode_image
import numpy as np
from numpy.typing import NDArray

IGNORED = UNLABELLED_ID
"""The label of pixels that neither train nor count, besides the void class."""

IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp')

_INVALID = -1

Pair = tuple[Path, Path]


@dataclass(frozen=True, eq=False)
class Sample:
    """
    One labelled image.

    :param name: unique in its data set
    :param image_bgr: uint8, (H, W, 3)
    :param labels: uint8, (H, W); ids of the data set's label set, or ``IGNORED``
    """

    name: str
    image_bgr: NDArray[np.uint8]
    labels: NDArray[np.uint8]


class LabelledDataset(ABC):
    """
    Labelled images by index.

    :ivar name: what it is, in words for messages and model files
    :ivar label_set: what the labels mean
    """

    def __init__(self, name: str, label_set: LabelSet) -> None:
        self.name = name
        self.label_set = label_set

    @abstractmethod
    def __len__(self) -> int:
        """Return the samples of one epoch."""

    @abstractmethod
    def load(self, index: int, epoch: int = 0) -> Sample:
        """
        Return one sample; the same arguments give the same sample.

        :param index: from 0 to the length of the data set
        :param epoch: the pass; data sets that make their images give others in each
        :raises InputError: a file is missing, unreadable, or not what it should be
        """


class PairDataset(LabelledDataset):
    """
    Images and label files in pairs.

    :param pairs: paths of images and of their label files
    :param class_of: class id by value in the label file; None takes the values as class ids.
        Values that are missing are mistakes in the data
    :raises InputError: there are no pairs
    """

    def __init__(
        self,
        name: str,
        label_set: LabelSet,
        pairs: Sequence[Pair],
        class_of: dict[int, int] | None = None,
    ) -> None:
        super().__init__(name, label_set)
        if not pairs:
            raise InputError(f'{name}: expected labelled images, found none')
        self.pairs = tuple(pairs)
        if class_of is None:
            class_of = {i: i for i in range(len(label_set.classes))} | {IGNORED: IGNORED}
        self._table = np.full(65536, _INVALID, np.int16)
        for value, class_id in class_of.items():
            self._table[value] = class_id

    def __len__(self) -> int:
        return len(self.pairs)

    def load(self, index: int, epoch: int = 0) -> Sample:
        """Read one pair; see :meth:`LabelledDataset.load`."""
        image_path, label_path = self.pairs[index]
        image = read_image(image_path)
        raw = self._read_labels(label_path)
        if raw.shape != image.shape[:2]:
            raise InputError(
                f'{label_path}: expected labels of the size of {image_path.name} '
                f'({image.shape[0]}x{image.shape[1]}), found {raw.shape[0]}x{raw.shape[1]}'
            )
        labels = self._table[raw]
        if labels.min() == _INVALID:
            strange = sorted({int(v) for v in np.unique(raw[labels == _INVALID])})
            raise InputError(
                f'{label_path}: expected ids of label set {self.label_set.name!r} '
                f'({len(self.label_set.classes)} classes, {IGNORED} for unlabelled), found '
                f'{", ".join(map(str, strange[:8]))}; name another label set or mend the file'
            )
        return Sample(image_path.stem, image, labels.astype(np.uint8))

    def _read_labels(self, path: Path) -> NDArray[np.integer]:
        return read_ids(path)


def read_image(path: Path) -> NDArray[np.uint8]:
    """
    Read an image.

    :return: uint8, (H, W, 3), BGR
    :raises InputError: it is missing, cut off or no image
    """
    try:
        return decode_image(read_bytes(path))
    except InputError as error:
        raise error if str(path) in str(error) else InputError(f'{path}: {error}') from error


def read_ids(path: Path) -> NDArray[np.integer]:
    """
    Read a label file with one id a pixel.

    :return: (H, W), uint8 or uint16; the indices of a PNG with a palette
    :raises InputError: it is missing, cut off, no image, or has colours in place of ids
    """
    data = read_bytes(path)
    raw = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    if raw is None:
        raise InputError(f'{path}: expected a label image, found {len(data)} bytes that are none')
    if raw.ndim != 2 or raw.dtype not in (np.uint8, np.uint16):
        raise InputError(
            f'{path}: expected one id a pixel (gray PNG of 8 or 16 bits), found an image of shape '
            f'{raw.shape} and type {raw.dtype}'
        )
    return np.asarray(raw)


def read_bytes(path: Path) -> bytes:
    """
    Read a file.

    :raises InputError: it is missing or cannot be read
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f'{path}: cannot be read ({error.strerror})') from error


def list_images(folder: Path) -> list[Path]:
    """
    Return the images of a folder in order of their names.

    :raises InputError: there is no such folder, or it holds none
    """
    if not folder.is_dir():
        raise InputError(f'{folder}: expected a folder of images, found none')
    images = sorted(
        p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.name[0] != '.'
    )
    if not images:
        raise InputError(f'{folder}: expected images ({", ".join(IMAGE_SUFFIXES)}), found none')
    return images


def pair_up(images: Sequence[Path], labels: Path, suffix: str = '.png') -> list[Pair]:
    """
    Return each image with the label file of the same stem.

    :param labels: folder of the label files
    :raises InputError: an image without labels, which is named
    """
    pairs = []
    for image in images:
        label = labels / f'{image.stem}{suffix}'
        if not label.is_file():
            raise InputError(f'{image}: expected its labels at {label}, found no such file')
        pairs.append((image, label))
    return pairs
