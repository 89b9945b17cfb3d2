"""The images on which a model is worst."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappush, heappushpop

from espnet_ros.cli.output import OutputFolder
from espnet_ros.datasets.base import Sample
from espnet_ros.evaluation.metrics import class_iou, counted_classes, mean
from espnet_ros.labels import LabelSet
from espnet_ros.processing.codecs import encode_jpeg
from espnet_ros.processing.overlay import color_mask
import numpy as np
from numpy.typing import NDArray

_GAP = 4


@dataclass(frozen=True, order=True)
class _Entry:
    """An image in order of how good it is: the best of the worst comes first."""

    minus_miou: float
    name: str


class WorstImages:
    """Keeps the images of lowest mean IoU, with their pictures."""

    def __init__(self, count: int, label_set: LabelSet) -> None:
        self._count = count
        self._counted = counted_classes(label_set)
        self._palette_bgr = label_set.palette_rgb()[:, ::-1]
        self._entries: list[_Entry] = []
        self._pictures: dict[str, NDArray[np.uint8]] = {}

    def add(self, sample: Sample, predicted: NDArray[np.uint8], counts: NDArray[np.int64]) -> None:
        """
        Look at one image.

        :param counts: its own confusion matrix
        """
        miou = mean(class_iou(counts, self._counted))
        if not self._count or np.isnan(miou):
            return
        entry = _Entry(-miou, sample.name)
        if len(self._entries) < self._count:
            heappush(self._entries, entry)
            dropped = None
        else:
            dropped = heappushpop(self._entries, entry)
        if dropped != entry:
            self._pictures[entry.name] = self._draw(sample, predicted)
        if dropped is not None:
            self._pictures.pop(dropped.name, None)

    def describe(self) -> list[dict[str, object]]:
        """Return name and mean IoU in percent of each, the worst first."""
        return [
            {'name': entry.name, 'miou': round(-100 * entry.minus_miou, 4)}
            for entry in sorted(self._entries, reverse=True)
        ]

    def write(self, folder: OutputFolder) -> None:
        """Write the image, the truth and what was predicted side by side, for each."""
        for rank, entry in enumerate(sorted(self._entries, reverse=True), start=1):
            picture = self._pictures[entry.name]
            folder.write(f'worst_{rank}_{entry.name}.jpg', encode_jpeg(picture))

    def _draw(self, sample: Sample, predicted: NDArray[np.uint8]) -> NDArray[np.uint8]:
        gap = np.full((predicted.shape[0], _GAP, 3), 255, np.uint8)
        truth, found = (
            color_mask(labels, self._palette_bgr) for labels in (sample.labels, predicted)
        )
        return np.hstack([sample.image_bgr, gap, truth, gap, found])
