"""Several data sets of one label set as one."""

from __future__ import annotations

from collections.abc import Sequence

from espnet_ros.datasets.base import LabelledDataset, Sample
from espnet_ros.labels import check_same_classes


class MixedDataset(LabelledDataset):
    """
    Data sets one after the other; the order of training mixes them.

    :raises ConfigError: their classes differ
    """

    def __init__(self, parts: Sequence[LabelledDataset]) -> None:
        super().__init__(' and '.join(part.name for part in parts), parts[0].label_set)
        for part in parts:
            check_same_classes(part.name, part.label_set, parts[0].name, self.label_set)
        self.parts = tuple(parts)

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def load(self, index: int, epoch: int = 0) -> Sample:
        for part in self.parts:
            if index < len(part):
                return part.load(index, epoch)
            index -= len(part)
        raise IndexError(f'{self.name}: expected an index below {len(self)}')
