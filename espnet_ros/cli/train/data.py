"""What a training sees: labelled images, images that a teacher labels, and the street."""

from __future__ import annotations

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
from espnet_ros.labels import LabelSet
from espnet_ros.training.data.pseudo_labels import label_images, Unlabelled
from espnet_ros.training.data.teachers import Teachers
from espnet_ros.training.recipes import find_recipe

PSEUDO_LABELS = 'pseudo_labels'
"""Folder of the teacher's labels in the output folder of a training."""


def open_training_data(options: Options) -> tuple[LabelledDataset, LabelledDataset]:
    """
    Return what trains and what validates, after a teacher has labelled what has no labels.

    :raises ConfigError: there is neither a data set nor a teacher with images, or their classes
        differ
    :raises InputError: a file of the data cannot be used
    :raises ModelError: a teacher cannot be used
    """
    folder = _label(options)
    data = options.data.data
    if data is not None:
        parts = [_open_split(data, options, 'train')]
        validation = _open_split(data, options, 'val')
        if folder is not None:
            parts.append(open_folder(folder, 'all'))
    elif folder is not None:
        parts, validation = [open_folder(folder, 'train')], open_folder(folder, 'val')
    else:
        raise ConfigError(
            'training data: expected --data, or --pseudo-labels with --unlabelled, found neither'
        )
    if options.more.synthetic is not None:
        size = options.more.synthetic_size or parts[0].load(0).labels.shape
        parts.append(_street(options.more.synthetic, (size[0], size[1]), parts[0].label_set))
    return (parts[0] if len(parts) == 1 else MixedDataset(parts)), validation


def _label(options: Options) -> Path | None:
    """Let the teachers label the images that have no labels; return the data set's folder."""
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
    folder = options.result.output.expanduser() / PSEUDO_LABELS
    with FrameProgress('labelling', None) as progress:
        label_images(images, teachers, folder, lambda _: progress.advance())
    return folder


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
