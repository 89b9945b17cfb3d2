"""Cityscapes as distributed: ``leftImg8bit/`` and ``gtFine/``, label ids or train ids."""

from __future__ import annotations

from pathlib import Path

from espnet_ros.datasets.base import Pair, PairDataset
from espnet_ros.exceptions import InputError
from espnet_ros.labels import load_label_set

IMAGE_END = '_leftImg8bit.png'
TRAIN_IDS_END = '_gtFine_labelTrainIds.png'
LABEL_IDS_END = '_gtFine_labelIds.png'

LABEL_ID_OF_TRAIN_ID = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
"""Ids of the 19 classes in labelIds files (labels.py of mcordts/cityscapesScripts)."""

LABEL_IDS = 34


def open_cityscapes(root: Path, split: str) -> PairDataset:
    """
    Open one split; what is none of the 19 classes is void.

    Files of train ids are taken where they are, else the label ids that every download has.

    :param root: the folder that holds ``leftImg8bit/`` and ``gtFine/``
    :param split: ``train`` or ``val`` (the labels of ``test`` are not public)
    :raises InputError: no such folder, no images, or an image without labels
    """
    label_set = load_label_set('cityscapes')
    void = len(LABEL_ID_OF_TRAIN_ID)
    images = sorted((root / 'leftImg8bit' / split).glob(f'*/*{IMAGE_END}'))
    if not images:
        raise InputError(
            f'{root}: expected Cityscapes images at leftImg8bit/{split}/CITY/*{IMAGE_END}, '
            'found none'
        )
    has_train_ids = _label_path(root, split, images[0], TRAIN_IDS_END).is_file()
    if has_train_ids:
        end, class_of = TRAIN_IDS_END, {i: i for i in range(void)} | {255: void}
    else:
        end = LABEL_IDS_END
        class_of = dict.fromkeys((*range(LABEL_IDS), 255), void)
        class_of |= {label_id: i for i, label_id in enumerate(LABEL_ID_OF_TRAIN_ID)}
    pairs: list[Pair] = []
    for image in images:
        label = _label_path(root, split, image, end)
        if not label.is_file():
            raise InputError(f'{image}: expected its labels at {label}, found no such file')
        pairs.append((image, label))
    return PairDataset(f'Cityscapes {split}', label_set, pairs, class_of)


def _label_path(root: Path, split: str, image: Path, end: str) -> Path:
    stem = image.name.removesuffix(IMAGE_END)
    return root / 'gtFine' / split / image.parent.name / f'{stem}{end}'
