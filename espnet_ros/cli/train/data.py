"""What a training sees: labelled images, images that a teacher labels, and the street."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from pathlib import Path

from espnet_ros.cli.progress import FrameProgress
from espnet_ros.cli.train.options import Options, RecipeOptions
from espnet_ros.config import ForeignModelSettings
from espnet_ros.datasets.base import LabelledDataset
from espnet_ros.datasets.folder import open_folder, WINDOW
from espnet_ros.datasets.mapped import MappedDataset
from espnet_ros.datasets.mixed import MixedDataset
from espnet_ros.datasets.opening import open_dataset, STREET_SEEDS
from espnet_ros.datasets.street import StreetDataset
from espnet_ros.exceptions import ConfigError
from espnet_ros.export.any_model import open_any_model
from espnet_ros.labels import check_same_classes, LabelSet
from espnet_ros.training.data.pseudo_labels import count_images, label_images, Unlabelled
from espnet_ros.training.data.teachers import Teachers
from espnet_ros.training.recipes import find_recipe

PSEUDO_LABELS = 'pseudo_labels'
"""Folder of the teacher's labels in the output folder of a training."""


class TrainingData:
    """
    What a training is to see; nothing is labelled before it is opened.

    :ivar label_set: its classes
    :raises ConfigError: there is neither a data set nor a teacher with images, or their classes
        differ
    :raises InputError: a file of the data cannot be used
    :raises ModelError: a teacher cannot be used
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._labelling = _plan_labelling(options)
        self._labelled: tuple[LabelledDataset, LabelledDataset] | None = None
        data = options.data.data
        if data is not None:
            train = _open_split(data, options, 'train')
            self._labelled = train, _open_split(data, options, 'val')
            self.label_set = train.label_set
            if self._labelling is not None:
                teachers = self._labelling.teachers
                name = f'teacher {teachers.models[0].info.name}'
                check_same_classes(name, teachers.label_set, train.name, train.label_set)
        elif self._labelling is not None:
            self.label_set = self._labelling.teachers.label_set
        else:
            raise ConfigError(
                'training data: expected --data, or --pseudo-labels with --unlabelled, found '
                'neither'
            )

    def check_batch(self, batch_size: int) -> None:
        """
        Check that there may be enough images for a batch, as far as that is known by now.

        :raises ConfigError: there are not
        """
        most = float(self._options.more.synthetic or 0)
        if self._labelled is not None:
            most += len(self._labelled[0])
        if self._labelling is not None:
            most += count_images(self._labelling.images)
            most -= self._labelled is None  # at least one validates
        if most < batch_size:
            raise ConfigError(
                f'training data: expected at least one batch of {batch_size} images, found '
                f'{max(most, 0):.0f}; use a smaller batch'
            )

    def open(self) -> tuple[LabelledDataset, LabelledDataset]:
        """
        Return what trains and what validates, after a teacher has labelled what has no labels.

        :raises InputError: a file of the data cannot be used
        """
        folder = None if self._labelling is None else self._labelling.label()
        parts: list[LabelledDataset] = []
        if self._labelled is not None:
            train, validation = self._labelled
            parts.append(train)
            if folder is not None:
                parts.append(open_folder(folder, 'all'))
        else:
            assert folder is not None, 'there is no other data'
            parts.append(open_folder(folder, 'train'))
            validation = open_folder(folder, 'val')
        more = self._options.more
        if more.synthetic is not None:
            size = more.synthetic_size or parts[0].load(0).labels.shape
            parts.append(_street(more.synthetic, (size[0], size[1]), self.label_set))
        return (parts[0] if len(parts) == 1 else MixedDataset(parts)), validation


@dataclass(frozen=True)
class _Labelling:
    """What teachers are to label, and where the labels go."""

    images: Unlabelled
    teachers: Teachers
    folder: Path

    def label(self) -> Path:
        with FrameProgress('labelling', None) as progress:
            label_images(self.images, self.teachers, self.folder, lambda _: progress.advance())
        return self.folder


def _plan_labelling(options: Options) -> _Labelling | None:
    """Return who labels the images that have no labels, where there are such images."""
    wanted = options.pseudo
    if bool(wanted.pseudo_labels) != bool(wanted.unlabelled):
        raise ConfigError(
            '--pseudo-labels names who labels, and --unlabelled what: give both or neither'
        )
    if not wanted.pseudo_labels:
        return None
    second = wanted.second_teacher
    teachers = Teachers(
        models=tuple(
            open_any_model(name, ForeignModelSettings()) for name in wanted.pseudo_labels
        ),
        mirrored=wanted.pseudo_mirrored,
        confidence=wanted.pseudo_confidence,
        second=None if second is None else open_any_model(second, ForeignModelSettings()),
        second_confidence=wanted.second_confidence,
        second_classes=wanted.second_classes,
    )
    images = Unlabelled(wanted.unlabelled, wanted.unlabelled_every, options.result.size)
    return _Labelling(images, teachers, options.result.output.expanduser() / PSEUDO_LABELS)


def _street(frames: int, size: tuple[int, int], label_set: LabelSet) -> LabelledDataset:
    street = StreetDataset(frames, first_seed=STREET_SEEDS['train'], size=size, endless=False)
    is_same = street.label_set.names == label_set.names
    return street if is_same else MappedDataset(street, label_set)


def _open_split(data: str, options: Options, split: str) -> LabelledDataset:
    how = options.data
    window = _window(options.recipe)
    return open_dataset(
        data, split, format_name=how.format, label_set=how.label_set, window=window
    )


def _window(recipe: RecipeOptions) -> tuple[int, int]:
    """Return what is read of a picture too large for memory: what the widest crop covers."""
    changes = recipe.changes
    if changes.crop is None:
        return WINDOW
    changed = find_recipe(recipe.recipe).changed(scales=changes.scales)
    lowest, _ = changed.stages[-1].augmentation.scales
    height, width = changes.crop
    return ceil(height / lowest), ceil(width / lowest)
