"""Scores data sets one after another, with one open model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from espnet_ros.cli.evaluate.degraded_scores import DegradedScores
from espnet_ros.cli.evaluate.options import Options
from espnet_ros.cli.evaluate.set_scores import Scored, SetScores
from espnet_ros.cli.evaluate.worst_images import WorstImages
from espnet_ros.cli.progress import FrameProgress
from espnet_ros.config import MaskSettings
from espnet_ros.datasets.base import LabelledDataset
from espnet_ros.datasets.opening import open_dataset
from espnet_ros.evaluation.common_groups import common_groups, CommonGroups, shared_groupings
from espnet_ros.evaluation.metrics import ConfusionMatrix
from espnet_ros.exceptions import ConfigError
from espnet_ros.export.any_model import open_any_model
from espnet_ros.model_file import ModelInfo
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmenter import Segmenter
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from espnet_ros.slides.scorer import TileScorer


def open_set(options: Options, data: str) -> LabelledDataset:
    """
    Return a data set.

    :raises InputError: it cannot be read
    :raises ConfigError: it is of no known layout, or options and data do not go together
    """
    given = options.data
    dataset = open_dataset(data, given.split, format_name=given.format, label_set=given.label_set)
    if dataset.is_of_slides != (options.slides.tile is not None):
        raise ConfigError(
            f'{dataset.name}: labels are TIFF files, for pictures of any size; give --tile 1024'
            if dataset.is_of_slides
            else f'--tile: is for data sets whose labels are TIFF files, found {dataset.name} '
            'with others; leave it out'
        )
    return dataset


class SetScorer:
    """
    Scores data sets; the model is opened with the first that it fits.

    :raises ModelError: there is no such model
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self.model = open_any_model(options.model.model, options.model.foreign)
        self._segmenter: Segmenter | None = None
        self._tiles: TileScorer | None = None

    def score(
        self, dataset: LabelledDataset, on_frame: Callable[[], None] | None = None
    ) -> SetScores:
        """
        Score a data set.

        :param on_frame: is called with each image or tile; None shows a bar
        :raises ConfigError: model and data have nothing in common that could be scored
        :raises InputError: an image or its labels are damaged
        :raises RuntimeUnavailableError: nothing here runs the model
        """
        results = self._options.results
        groups = _scored_classes(dataset, self.model.info, results.by)
        worst = WorstImages(results.worst if results.pictures else 0, groups.label_set)
        degraded = DegradedScores(results.conditions, results.seed, groups.label_set)
        if dataset.is_of_slides:
            matrix, images, scored = self._count_tiles(dataset, groups, on_frame)
        else:
            segmenter = self._opened_segmenter()
            matrix = ConfusionMatrix(len(groups.label_set.classes))
            with FrameProgress('evaluating', len(dataset), on_frame) as progress:
                _count(dataset, segmenter, groups, (matrix, worst, degraded), progress)
            images, scored = len(dataset), Scored.on(segmenter.runtime)
        return SetScores(dataset.name, groups.label_set, matrix, images, scored, worst, degraded)

    def close(self) -> None:
        if self._segmenter is not None:
            self._segmenter.close()
        if self._tiles is not None:
            self._tiles.close()

    def _opened_segmenter(self) -> Segmenter:
        if self._segmenter is None:
            runtime = open_runtime(self.model, self._options.runtime)
            self._segmenter = Segmenter(runtime, MaskSettings(mask_size='image'))
        return self._segmenter

    def _count_tiles(
        self,
        dataset: LabelledDataset,
        groups: CommonGroups,
        on_frame: Callable[[], None] | None,
    ) -> tuple[ConfusionMatrix, int, Scored]:
        """Count pixels of pictures too large for memory; return them, and of how many pictures."""
        # tifffile may be missing.
        from espnet_ros.cli.evaluate.slide_scores import count_slides  # noqa: PLC0415
        from espnet_ros.datasets.slides import SlideDataset  # noqa: PLC0415
        from espnet_ros.slides.scorer import TileScorer  # noqa: PLC0415

        assert isinstance(dataset, SlideDataset), 'no other is of slides'
        tile = self._options.slides.tile
        assert tile is not None, 'open_set() comes first'
        if self._tiles is None:
            self._tiles = TileScorer(self.model, self._options.runtime, tile)
        with FrameProgress('evaluating tiles', None, on_frame) as progress:
            tiles = (tile, self._options.slides.overlap)
            matrix = count_slides(dataset, self._tiles, tiles, groups, progress.advance)
        return matrix, len(dataset.pairs), Scored.on(self._tiles.runtime)


def _scored_classes(dataset: LabelledDataset, model: ModelInfo, by: str | None) -> CommonGroups:
    """
    Return what is scored: groups, or the classes, which are never counted as others.

    :raises ConfigError: model and data have nothing in common that could be
    """
    found, expected = model.label_set, dataset.label_set
    if by is not None:
        return common_groups(expected, found, by)
    if found.names == expected.names:
        same = np.arange(256, dtype=np.uint8)
        return CommonGroups(expected, same, same)
    shared = ', '.join(f'--by {name}' for name in sorted(shared_groupings(expected, found)))
    raise ConfigError(
        f'expected a model of the classes of {dataset.name} ({", ".join(expected.names)}), found '
        f'{model.name} with {", ".join(found.names)}; give another model, '
        f'{shared or "or say with --label-set what the labels mean"}'
    )


def _count(
    dataset: LabelledDataset,
    segmenter: Segmenter,
    groups: CommonGroups,
    counters: tuple[ConfusionMatrix, WorstImages, DegradedScores],
    progress: FrameProgress,
) -> None:
    def predict(image_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
        labels = segmenter.segment([image_bgr])[0].labels
        segmenter.label_set.check_counts(np.bincount(labels.ravel(), minlength=256))
        return groups.of_model[labels]

    matrix, worst, degraded = counters
    for index in range(len(dataset)):
        sample = dataset.load(index)
        predicted = predict(sample.image_bgr)
        sample = replace(sample, labels=groups.of_truth[sample.labels])
        counts = matrix.add(sample.labels, predicted)
        worst.add(sample, predicted, counts)
        degraded.add(sample, index, predict)
        progress.advance()
