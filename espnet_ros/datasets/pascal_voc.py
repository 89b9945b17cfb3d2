"""PASCAL VOC as distributed: ``JPEGImages/``, ``SegmentationClass/`` and ``ImageSets/``."""

from __future__ import annotations

from pathlib import Path

from espnet_ros.datasets.base import IGNORED, Pair, PairDataset
from espnet_ros.datasets.label_files import read_bytes
from espnet_ros.exceptions import InputError
from espnet_ros.labels import distinct_color_rgb, load_label_set

BOUNDARY_RGB = (224, 224, 192)
"""The colour of id 255: boundaries and difficult objects."""


def open_pascal_voc(root: Path, split: str) -> PairDataset:
    """
    Open one split.

    :param root: the folder of a year, for example ``VOCdevkit/VOC2012``
    :param split: a list in ``ImageSets/Segmentation``, for example ``train`` or ``val``
    :raises InputError: no such list, or a file that it names is missing
    """
    list_path = root / 'ImageSets' / 'Segmentation' / f'{split}.txt'
    stems = read_bytes(list_path).decode(errors='replace').split()
    pairs: list[Pair] = []
    for stem in stems:
        pair = root / 'JPEGImages' / f'{stem}.jpg', root / 'SegmentationClass' / f'{stem}.png'
        for path in pair:
            if not path.is_file():
                raise InputError(f'{path}: {list_path.name} names this file, found none')
        pairs.append(pair)
    label_set = load_label_set('pascal_voc')
    classes = range(1, len(label_set.classes))
    # Files with a palette arrive in its colours.
    colors: dict[tuple[int, ...], int] = {(0, 0, 0): 0, BOUNDARY_RGB: IGNORED}
    colors |= {distinct_color_rgb(i - 1): i for i in classes}
    return PairDataset(f'PASCAL VOC {split}', label_set, pairs, colors=colors)
