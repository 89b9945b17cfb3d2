"""A data set whose labels are told in the classes of another label set."""

from __future__ import annotations

from espnet_ros.datasets.base import IGNORED, LabelledDataset, Sample
from espnet_ros.exceptions import ConfigError
from espnet_ros.labels import LabelSet
import numpy as np
from numpy.typing import NDArray

_CITYSCAPES_OF_CAMVID = {
    'pavement': 'sidewalk',
    'tree': 'vegetation',
    'sign': 'traffic sign',
    'pedestrian': 'person',
}
"""Classes of equal meaning and other names; a bicyclist is a rider and a bicycle there."""

_KNOWN = {('camvid', 'cityscapes'): _CITYSCAPES_OF_CAMVID}


def map_classes(found: LabelSet, wanted: LabelSet) -> tuple[NDArray[np.uint8], list[str]]:
    """
    Return what each class id of one label set is in another, by names.

    Classes of equal names, and those known to mean the same, keep their pixels; others and void
    become unlabelled.

    :return: the ids, uint8, (256,), and the classes other than void that the wanted set lacks
    """
    renamed = _KNOWN.get((found.name, wanted.name), {})
    ids = {name.casefold(): i for i, name in enumerate(wanted.names) if i != wanted.void_id}
    table = np.full(256, IGNORED, np.uint8)
    lost = []
    for class_id, name in enumerate(found.names):
        mapped = ids.get(renamed.get(name, name).casefold())
        if class_id in (found.void_id, IGNORED):
            continue
        if mapped is None:
            lost.append(name)
        else:
            table[class_id] = mapped
    return table, lost


class MappedDataset(LabelledDataset):
    """
    The samples of a data set with labels of another set.

    :raises ConfigError: it is not known how the classes of one set are called in the other
    """

    def __init__(self, dataset: LabelledDataset, label_set: LabelSet) -> None:
        super().__init__(dataset.name, label_set)
        theirs = dataset.label_set
        if (theirs.name, label_set.name) not in _KNOWN and theirs.names != label_set.names:
            raise ConfigError(
                f'{dataset.name}: expected the classes of {label_set.name} '
                f'({", ".join(label_set.names)}), found those of {theirs.name} '
                f'({", ".join(theirs.names)}), and how they map is not known'
            )
        self._dataset = dataset
        self._table, _ = map_classes(theirs, label_set)

    def __len__(self) -> int:
        return len(self._dataset)

    def load(self, index: int, epoch: int = 0) -> Sample:
        sample = self._dataset.load(index, epoch)
        return Sample(sample.name, sample.image_bgr, self._table[sample.labels])
