"""How well a model does on pictures too large for memory, tile by tile."""

from __future__ import annotations

from collections.abc import Callable

from espnet_ros.datasets.slides import SlideDataset
from espnet_ros.evaluation.common_groups import CommonGroups
from espnet_ros.evaluation.metrics import ConfusionMatrix
from espnet_ros.slides.scorer import TileScorer
from espnet_ros.slides.tiling import blended_bands, Tiling
from espnet_ros.sources.tiff_reader import SlideReader
import numpy as np
from numpy.typing import NDArray


def count_slides(
    dataset: SlideDataset,
    scorer: TileScorer,
    tiles: tuple[int, int],
    scored: CommonGroups,
    on_tile: Callable[[], None],
) -> ConfusionMatrix:
    """
    Segment pictures as ``segment --tile`` does, and count what became of each true class.

    The truth is read by a few rows at a time, so that the memory does not grow with the area.

    :param tiles: height and width of tiles, and their overlap
    :raises InputError: a picture or its labels are damaged
    """
    matrix = ConfusionMatrix(len(scored.label_set.classes))

    def decide(scores: NDArray[np.float32]) -> NDArray[np.uint8]:
        on_tile()
        labels: NDArray[np.uint8] = scores.argmax(axis=0).astype(np.uint8)
        return labels

    for index, (path, _) in enumerate(dataset.pairs):
        top = 0
        with SlideReader(path) as slide:
            tiling = Tiling(slide.size, *tiles)
            for band in blended_bands(tiling, slide.read_bgr, scorer.score, decide):
                _count(matrix, dataset, scored, (index, top), band)
                top += len(band)
    return matrix


def _count(
    matrix: ConfusionMatrix,
    dataset: SlideDataset,
    scored: CommonGroups,
    place: tuple[int, int],
    band: NDArray[np.uint8],
) -> None:
    """Count a band of a mask; its place is the picture and the first row."""
    row = 0
    for truth in dataset.truth_of(*place, len(band)):
        predicted = band[row : row + len(truth)]
        matrix.add(scored.of_truth[truth], scored.of_model[predicted])
        row += len(truth)
