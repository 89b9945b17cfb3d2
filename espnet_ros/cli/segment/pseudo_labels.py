"""Masks as labels to train on: a data set in the classes of another, 255 where unsure."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
import logging
from pathlib import Path

from espnet_ros.cli.output import OutputFolder
from espnet_ros.cli.segment.options import Options
from espnet_ros.datasets.base import IGNORED
from espnet_ros.datasets.folder import (
    IMAGES,
    JPEG_QUALITY,
    LABEL_SET_FILE,
    label_set_file,
    LABELS,
)
from espnet_ros.datasets.mapped import map_classes
from espnet_ros.datasets.opening import open_dataset
from espnet_ros.exceptions import ConfigError, OutputError
from espnet_ros.fleet.output import FleetOutput
from espnet_ros.labels import LabelSet, load_label_set, shipped_label_sets
from espnet_ros.processing.codecs import encode_jpeg, encode_png
import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.6
"""Of a pixel whose label is taken, where no other is given."""

logger = logging.getLogger(__name__)


def settled(options: Options) -> Options:
    """
    Return options without a share in ``--confidence``, and as labels need them where wanted.

    Labels are of the image's size, and of sure pixels only.

    :raises ConfigError: options contradict each other
    """
    output, mask = options.output, options.mask
    if output.confidence:
        if mask.confidence_threshold not in (0.0, output.confidence):
            raise ConfigError(
                'expected one threshold, found two; leave --confidence-threshold or the number '
                'behind --confidence out'
            )
        mask = replace(mask, confidence_threshold=output.confidence)
        output = replace(output, confidence=None)
    if output.labels_for is not None:
        _check_labels(options)
        output = replace(output, masks=False, overlay=False)
        mask = replace(mask, confidence_threshold=mask.confidence_threshold or CONFIDENCE)
    return replace(options, output=output, mask=mask)


def _check_labels(options: Options) -> None:
    output, mask = options.output, options.mask
    if output.masks or output.birdseye or output.confidence == 0.0:
        raise ConfigError(
            '--labels-for writes images and labels alone; leave --masks, --birdseye and '
            '--confidence without a number out'
        )
    if mask.mask_size != 'image' or mask.unlabelled_id != IGNORED or any(mask.roi):
        raise ConfigError(
            f'--labels-for: labels are of the whole image, {IGNORED} where unsure; leave '
            '--mask-size, --unlabelled-id and --roi out'
        )


def find_label_set(data: str) -> LabelSet:
    """
    Return the classes of a data set.

    :param data: its folder, ``synthetic``, or the name or file of a label set
    :raises ConfigError: it is none of these
    :raises InputError: the folder is no data set
    """
    path = Path(data).expanduser()
    if (path / LABEL_SET_FILE).is_file():
        return load_label_set(str(path / LABEL_SET_FILE))
    if path.is_dir() or data == 'synthetic':
        return open_dataset(data, 'train').label_set
    if path.is_file() or data in shipped_label_sets():
        return load_label_set(data)
    raise ConfigError(
        f'--labels-for {data}: expected the folder of a data set, or a label set '
        f'({", ".join(shipped_label_sets())} or a YAML file), found neither'
    )


class LabelWriter:
    """
    Writes frames and their labels as a data set that ``train`` takes.

    Classes are matched by name; pixels of a class that the data set lacks, and of void, become
    255. A frame without one sure pixel is left out. May be called from several threads.

    :param label_set: what its labels mean
    :param found: what the masks mean
    :raises ConfigError: no class of the masks is in the data set
    """

    def __init__(self, folder: OutputFolder, label_set: LabelSet, found: LabelSet) -> None:
        self._folder = folder
        self._label_set = label_set
        self._table, lost = map_classes(found, label_set)
        if (self._table == IGNORED).all():
            raise ConfigError(
                f'--labels-for: expected classes of label set {label_set.name!r} '
                f'({", ".join(label_set.names)}), found {", ".join(found.names)}; give the '
                'groups that they make, as --groups "pavement=sidewalk; tree=vegetation"'
            )
        if lost:
            _tell_lost(label_set.name, ', '.join(lost))

    @property
    def new_files(self) -> list[str]:
        """
        Return the file of the label set where it is still to be written.

        :raises ConfigError: the folder has one that is not valid
        """
        path = self._folder.path / LABEL_SET_FILE
        known = path.is_file() and load_label_set(str(path)) == self._label_set
        return [] if known else [LABEL_SET_FILE]

    def names_of(self, stem: str) -> list[str]:
        """Return what the files of a video are called, as :meth:`Journal.announce` takes it."""
        return [f'{folder}/{stem}_*' for folder in (IMAGES, LABELS)]

    def write_label_set(self) -> None:
        """
        Write what the labels mean, where it is not there.

        :raises OutputError: the folder has labels of other classes
        """
        for name in self.new_files:
            self._folder.write(name, label_set_file(self._label_set))

    def files_of(self, stem: str) -> list[str]:
        return [f'{IMAGES}/{stem}.png', f'{LABELS}/{stem}.png']

    def write(
        self, stem: str, image_bgr: NDArray[np.uint8], labels: NDArray[np.uint8], *, is_lossy: bool
    ) -> dict[str, str]:
        """
        Write an image and its labels.

        :param stem: what both are called
        :param image_bgr: uint8, (H, W, 3)
        :param labels: uint8, (H, W), as the segmenter gives them
        :param is_lossy: whether the image came out of a video, so that JPEG does for it
        :return: the paths of both below the folder, by kind; none where no pixel is sure
        :raises OutputError: one cannot be written
        """
        labels = self._table[labels]
        if (labels == IGNORED).all():
            return {}
        files = {'image': f'{IMAGES}/{stem}.{"jpg" if is_lossy else "png"}'}
        files['labels'] = f'{LABELS}/{stem}.png'
        encoded = encode_jpeg(image_bgr, JPEG_QUALITY) if is_lossy else encode_png(image_bgr)
        self._folder.write(files['labels'], encode_png(labels))  # first: no image without labels
        self._folder.write(files['image'], encoded)
        return files


def open_dataset_of(options: Options, folder: OutputFolder, found: LabelSet) -> LabelWriter | None:
    """
    Return what writes labels, or None where those are not wanted.

    :param found: what the masks mean
    :raises ConfigError: as :class:`LabelWriter`
    """
    if options.output.labels_for is None:
        return None
    return LabelWriter(folder, find_label_set(options.output.labels_for), found)


@lru_cache(maxsize=64)
def _tell_lost(name: str, lost: str) -> None:
    """Log once, not for each recording, which classes have no labels."""
    logger.warning(
        'unlabelled, as label set %r has no such class: %s (--groups can rename them)', name, lost
    )


def write_label_set(options: Options, output: FleetOutput) -> None:
    """
    Write what the labels of a fleet mean, where labels are wanted.

    :raises ConfigError: the file that is there is not valid
    :raises OutputError: it is of other classes, cannot be written, or results lie where a data set
        has its images
    """
    if options.output.labels_for is None:
        return
    label_set = find_label_set(options.output.labels_for)
    root = Path(output.root)
    path = root / LABEL_SET_FILE
    if not output.is_stored and ((root / IMAGES).exists() or (root / LABELS).exists()):
        raise OutputError(
            f'{root}: expected no {IMAGES} and {LABELS} of earlier runs, beside which the labels '
            'of recordings are not found; give another --output'
        )
    if not output.is_stored and path.is_file():
        if load_label_set(str(path)).names == label_set.names:
            return
        if not output.overwrite:
            raise OutputError(
                f'{path}: expected the classes of --labels-for {options.output.labels_for}, found '
                'others, which the labels there have; give --overwrite or another --output'
            )
    output.write(LABEL_SET_FILE, label_set_file(label_set))
