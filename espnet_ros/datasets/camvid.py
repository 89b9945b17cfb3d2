"""
CamVid in the layout of the SegNet tutorial: ``SPLIT/`` and ``SPLITannot/``.

Any data set in this layout can be read, given its label set.
"""

from __future__ import annotations

from pathlib import Path

from espnet_ros.datasets.base import list_images, pair_up, PairDataset
from espnet_ros.labels import LabelSet, load_label_set


def open_camvid(root: Path, split: str, label_set: LabelSet | None = None) -> PairDataset:
    """
    Open one split.

    :param root: the folder that holds ``SPLIT/`` (images) and ``SPLITannot/`` (PNGs of ids)
    :param label_set: its classes; None for the 11 of CamVid and void
    :raises InputError: no such folder, no images, or an image without labels
    """
    pairs = pair_up(list_images(root / split), root / f'{split}annot')
    name = 'CamVid' if label_set is None else root.name
    return PairDataset(f'{name} {split}', label_set or load_label_set('camvid'), pairs)
