"""What every labelled data set has, and how one pair of files is read and checked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
import logging
from pathlib import Path
from typing import Any

from espnet_ros.datasets.label_files import read_bytes, read_labels
from espnet_ros.exceptions import InputError
from espnet_ros.labels import LabelSet, UNLABELLED_ID
from espnet_ros.processing.codecs import decode_image
from espnet_ros.processing.image_files import image_files, IMAGE_SUFFIXES, tell_pages
from espnet_ros.processing.image_formats.header import read_header
import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

IGNORED = UNLABELLED_ID
"""The label of pixels that neither train nor count, besides the void class."""

_INVALID = -1
_BY_INDEX = 'where the index of its palette is the id, write "palette: index" into labels.yaml'

TIFF_SUFFIXES = ('.tif', '.tiff')

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
    :cvar is_of_slides: whether samples are windows of pictures too large for memory
    """

    is_of_slides = False

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
    :param colors: class id by colour (red, green, blue), for label files in colour, as which
        files with a palette arrive too; None takes the colours of the label set
    :raises InputError: there are no pairs
    """

    def __init__(
        self,
        name: str,
        label_set: LabelSet,
        pairs: Sequence[Pair],
        class_of: dict[int, int] | None = None,
        colors: dict[tuple[int, ...], int] | None = None,
    ) -> None:
        super().__init__(name, label_set)
        if not pairs:
            raise InputError(f'{name}: expected labelled images, found none')
        self.pairs = tuple(pairs)
        self._colored_twice = ''
        if class_of is None:
            class_of = {i: i for i in range(len(label_set.classes))} | {IGNORED: IGNORED}
        if colors is None:
            colors = {c.color_rgb: i for i, c in enumerate(label_set.classes)}
            self._colored_twice = _same_colors(label_set)
        self._class_of_value = np.full(1 << 16, _INVALID, np.int16)
        self._class_of_value[list(class_of)] = list(class_of.values())
        packed = sorted((_pack(color), class_id) for color, class_id in colors.items())
        self._colors = np.array([color for color, _ in packed], np.int32)
        self._class_of_color = np.array([class_id for _, class_id in packed], np.int16)

    def __len__(self) -> int:
        return len(self.pairs)

    def load(self, index: int, epoch: int = 0) -> Sample:
        image_path, label_path = self.pairs[index]
        picture = read_labels(label_path)
        image = read_image(image_path, picture.size)
        if picture.size != image.shape[:2]:
            raise InputError(
                f'{label_path}: expected labels of the size of {image_path.name} '
                f'({image.shape[0]}x{image.shape[1]}), found {picture.size[0]}x{picture.size[1]}'
            )
        raw = picture.pixels(self.label_set.palette)
        hint = f'; {_BY_INDEX}' if raw.ndim == 3 and picture.ids is not None else ''
        return Sample(image_path.stem, image, self.classify(raw, label_path, hint))

    def classify(self, raw: NDArray[np.integer], path: Path, hint: str = '') -> NDArray[np.uint8]:
        """
        Return the class of every pixel of a label file.

        :param raw: ids, (H, W), or colours, (H, W, 3), BGR
        :param hint: what to do where pixels are of no class
        :raises InputError: pixels are of no class
        """
        labels = self._classify(raw, path)
        if labels.min() == _INVALID:
            strange = np.unique(raw[labels == _INVALID], axis=0)[:8]
            form = 'ids' if raw.ndim == 2 else 'colours (blue, green, red)'
            raise InputError(
                f'{path}: expected {form} of label set {self.label_set.name!r} '
                f'({len(self.label_set.classes)} classes; {IGNORED} is unlabelled), found '
                f'{", ".join(str(v.tolist()) for v in strange)}; name another label set or '
                f'correct the file{hint}'
            )
        return labels.astype(np.uint8)

    def _classify(self, raw: NDArray[np.integer], path: Path) -> NDArray[np.int16]:
        """Return the class of every pixel of a label file, or ``_INVALID``."""
        if raw.ndim == 2:
            return np.asarray(self._class_of_value[raw])
        if self._colored_twice:
            raise InputError(
                f'{path}: expected ids, as label set {self.label_set.name!r} gives '
                f'{self._colored_twice} the same colour, found colours; give its classes '
                'different colours'
            )
        packed = _pack(np.moveaxis(raw[..., ::-1].astype(np.int32), -1, 0))
        places = np.searchsorted(self._colors, packed).clip(max=len(self._colors) - 1)
        found = self._class_of_color[places]
        return np.where(self._colors[places] == packed, found, _INVALID).astype(np.int16)


def _same_colors(label_set: LabelSet) -> str:
    """Return the first classes that share a colour, in words, or nothing."""
    by_color: dict[tuple[int, ...], list[str]] = {}
    for entry in label_set.classes:
        by_color.setdefault(entry.color_rgb, []).append(entry.name)
    return next((' and '.join(names) for names in by_color.values() if len(names) > 1), '')


def _pack(color_rgb: Any) -> Any:
    """Return red, green, blue as one number, or arrays of them likewise."""
    red, green, blue = color_rgb
    return red << 16 | green << 8 | blue


@lru_cache(maxsize=64)
def _tell_orientation(folder: Path) -> None:
    """Log once for a folder that its labels may be of the pixels as stored."""
    logger.warning(
        '%s: images are turned by their EXIF orientation, and labels are taken to be of the '
        'turned images; where they are of the stored pixels, remove the orientation',
        folder,
    )


def read_image(path: Path, labelled_size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """
    Read an image, turned as EXIF says unless its labels fit the stored pixels alone.

    :param labelled_size: (height, width) of its labels, where there are some
    :return: uint8, (H, W, 3), BGR
    :raises InputError: it is missing, cut off or no image
    """
    try:
        data = read_bytes(path)
        header = read_header(data)
        tell_pages(path, header.pages)
        height, width = header.size or (0, 0)
        if header.orientation == 1 or labelled_size is None:
            return decode_image(data)
        # The orientations from 5 on exchange height and width.
        is_sideways = header.orientation >= 5 and height != width
        if is_sideways:
            return decode_image(data, turned=labelled_size != (height, width))
        _tell_orientation(path.parent)
        return decode_image(data)
    except InputError as error:
        raise error if str(path) in str(error) else InputError(f'{path}: {error}') from error


def list_images(folder: Path) -> list[Path]:
    """
    Return the images of a folder in order of their names.

    :raises InputError: there is no such folder, or it holds none
    """
    if not folder.is_dir():
        raise InputError(f'{folder}: expected a folder of images, found none')
    images = image_files(folder)
    if not images:
        raise InputError(f'{folder}: expected images ({", ".join(IMAGE_SUFFIXES)}), found none')
    return images


def pair_up(images: Sequence[Path], labels: Path) -> list[Pair]:
    """
    Return each image with the label file of the same stem; of TIFF images that may be one too.

    :raises InputError: an image without labels, which is named
    """
    pairs = []
    for image in images:
        suffixes = ['.png', '.PNG']
        if image.suffix.lower() in TIFF_SUFFIXES:
            suffixes += TIFF_SUFFIXES
        names = [f'{image.stem}{each}' for each in suffixes]
        label = next((labels / name for name in names if (labels / name).is_file()), None)
        if label is None:
            label = labels / names[0]
            raise InputError(f'{image}: expected its labels at {label}, found no such file')
        pairs.append((image, label))
    return pairs
