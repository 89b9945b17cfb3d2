"""A data set whose labels are told in the classes of another label set."""

from __future__ import annotations

from espnet_ros.datasets.base import IGNORED, LabelledDataset, Sample
from espnet_ros.exceptions import ConfigError
from espnet_ros.labels import LabelSet
import numpy as np

_CITYSCAPES_OF_CAMVID = {
    'pavement': 'sidewalk',
    'tree': 'vegetation',
    'sign': 'traffic sign',
    'pedestrian': 'person',
}
"""Classes of equal meaning and other names; a bicyclist is a rider and a bicycle there."""

_KNOWN = {('camvid', 'cityscapes'): _CITYSCAPES_OF_CAMVID}


class MappedDataset(LabelledDataset):
    """
    The samples of a data set with labels of another set.

    Classes of equal names and those known to mean the same keep their pixels; the others become
    unlabelled.

    :raises ConfigError: it is not known how the classes of one set are called in the other
    """

    def __init__(self, dataset: LabelledDataset, label_set: LabelSet) -> None:
        super().__init__(dataset.name, label_set)
        theirs = dataset.label_set
        renamed = _KNOWN.get((theirs.name, label_set.name))
        if renamed is None and theirs.names != label_set.names:
            raise ConfigError(
                f'{dataset.name}: expected the classes of {label_set.name} '
                f'({", ".join(label_set.names)}), found those of {theirs.name} '
                f'({", ".join(theirs.names)}), and how they map is not known'
            )
        self._dataset = dataset
        self._table = np.full(256, IGNORED, np.uint8)
        for class_id, name in enumerate(theirs.names):
            mapped = (renamed or {}).get(name, name)
            if class_id != theirs.void_id and mapped in label_set.names:
                self._table[class_id] = label_set.id_of(mapped)

    def __len__(self) -> int:
        return len(self._dataset)

    def load(self, index: int, epoch: int = 0) -> Sample:
        sample = self._dataset.load(index, epoch)
        return Sample(sample.name, sample.image_bgr, self._table[sample.labels])
