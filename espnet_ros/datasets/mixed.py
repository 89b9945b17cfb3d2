"""Several data sets of one label set as one."""

from __future__ import annotations

from collections.abc import Sequence

from espnet_ros.datasets.base import LabelledDataset, Sample
from espnet_ros.exceptions import ConfigError


class MixedDataset(LabelledDataset):
    """
    Data sets one after the other; the order of training mixes them.

    :raises ConfigError: their classes differ
    """

    def __init__(self, parts: Sequence[LabelledDataset]) -> None:
        super().__init__(' and '.join(part.name for part in parts), parts[0].label_set)
        for part in parts:
            if part.label_set.names != self.label_set.names:
                raise ConfigError(
                    f'{part.name}: expected the classes of {parts[0].name} '
                    f'({", ".join(self.label_set.names)}), found '
                    f'{", ".join(part.label_set.names)}'
                )
        self.parts = tuple(parts)

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def load(self, index: int, epoch: int = 0) -> Sample:
        """Return a sample of the part that the index falls into."""
        for part in self.parts:
            if index < len(part):
                return part.load(index, epoch)
            index -= len(part)
        raise IndexError(f'{self.name}: expected an index below {len(self)}')
