"""
Images and label PNGs of one's own, with a file that names the classes.

The layout::

    labels.yaml            as espnet_ros/labelsets/camvid.yaml
    images/train/*.jpg     images/val/*.jpg
    labels/train/*.png     labels/val/*.png

Several such folders may lie side by side below the one with ``labels.yaml``, as ``segment
--labels-for`` writes them, one for each recording: ``DRIVE/images/*.jpg``, ``DRIVE/labels/*.png``.

Labels of TIFF images may be TIFF files too; such pictures may be of any size, and are read by
windows.

Without the folders ``train`` and ``val`` a tenth of the images, chosen by name, validates.
Label files hold the class id of every pixel (255 for unlabelled), or the colours of labels.yaml.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

from espnet_ros.datasets.base import list_images, Pair, pair_up, PairDataset, TIFF_SUFFIXES
from espnet_ros.exceptions import InputError
from espnet_ros.labels import LabelSet, load_label_set
import yaml

LABEL_SET_FILE = 'labels.yaml'
IMAGES, LABELS = 'images', 'labels'

JPEG_QUALITY = 95
"""Of images that are written into such a folder, where they were lossy before."""

WINDOW = (1024, 1024)
"""(height, width) of what is read of TIFF images."""

_PARTS = 10
_SPLITS = ('train', 'val')


def open_folder(
    root: Path,
    split: str,
    label_set: LabelSet | None = None,
    window: tuple[int, int] = WINDOW,
) -> PairDataset:
    """
    Open one split.

    :param label_set: its classes; None for those of ``labels.yaml``
    :param window: (height, width) of what is read of pictures whose labels are TIFF files
    :raises ConfigError: ``labels.yaml`` is not valid
    :raises InputError: a file is missing, the split has no images, or parts have other classes
    """
    if label_set is None:
        label_set = _read_label_set(root)
        _check_same_classes(root, label_set)
    if (root / IMAGES / split).is_dir():
        pairs = pair_up(list_images(root / IMAGES / split), root / LABELS / split)
    elif split in _SPLITS and any((root / IMAGES / other).is_dir() for other in _SPLITS):
        raise InputError(f'{root / IMAGES}: expected the folders train and val, found no {split}')
    else:
        folders = parts_of(root) or [root]
        images = [image for folder in folders for image in list_images(folder / IMAGES)]
        if split in _SPLITS:
            is_val = split == 'val'
            images = [i for i in images if (crc32(i.stem.encode()) % _PARTS == 0) == is_val]
        if not images:
            raise InputError(
                f'{root}/images: expected enough images to keep a tenth for validation; add '
                f'some, or sort them into images/train and images/val (split {split!r} is empty)'
            )
        pairs = [
            pair
            for folder in folders
            for pair in pair_up(
                [image for image in images if image.parent.parent == folder], folder / LABELS
            )
        ]
    return _paired(f'{root.resolve().name} {split}', label_set, pairs, window)


def _read_label_set(root: Path) -> LabelSet:
    path = root / LABEL_SET_FILE
    if not path.is_file():
        raise InputError(
            f'{root}: expected {LABEL_SET_FILE} with the names and colours of the classes, '
            'found none; give --label-set or write it like espnet_ros/labelsets/camvid.yaml'
        )
    return load_label_set(str(path))


def _check_same_classes(root: Path, label_set: LabelSet) -> None:
    """
    Check that the ids of all parts of a data set mean the same.

    :raises InputError: those of one have other classes
    """
    for path in (part / LABEL_SET_FILE for part in parts_of(root)):
        if path.is_file() and load_label_set(str(path)).names != label_set.names:
            raise InputError(
                f'{path}: expected the classes of {root / LABEL_SET_FILE} ({label_set.name}), '
                f'found others; label {path.parent.name} anew, or move it away'
            )


def _paired(
    name: str, label_set: LabelSet, pairs: Sequence[Pair], window: tuple[int, int]
) -> PairDataset:
    tiffs = sum(label.suffix.lower() in TIFF_SUFFIXES for _, label in pairs)
    if not tiffs:
        return PairDataset(name, label_set, pairs)
    if tiffs < len(pairs):
        raise InputError(
            f'{name}: expected labels in PNG or in TIFF files, found both ({tiffs} of '
            f'{len(pairs)} are TIFF); make them one or the other'
        )
    # tifffile may be missing.
    from espnet_ros.datasets.slides import SlideDataset  # noqa: PLC0415

    return SlideDataset(name, label_set, pairs, window)


def label_set_file(label_set: LabelSet) -> bytes:
    """Return the content of ``labels.yaml`` for a label set."""
    return yaml.safe_dump(label_set.to_dict(), sort_keys=False, allow_unicode=True).encode()


def parts_of(root: Path) -> list[Path]:
    """Return the folders of a data set that lies in several; none where it lies in one."""
    if (root / IMAGES).is_dir():
        return []
    folders = (path.parent for path in root.glob('*/images') if path.parent.name[0] != '.')
    return sorted(folder for folder in folders if (folder / LABELS).is_dir())
