"""What a data set is like: how often each class occurs, and the statistics of its pixels."""

from __future__ import annotations

import logging

from espnet_ros.datasets.base import IGNORED, LabelledDataset
from espnet_ros.models.training_sets import Normalization
import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

MAX_SAMPLES = 1000
"""Larger data sets are sampled evenly."""


def count_labels(dataset: LabelledDataset) -> NDArray[np.int64]:
    """Return how many pixels of a data set have each id: int64, (256,)."""
    counts = np.zeros(256, np.int64)
    for index in _evenly(len(dataset)):
        counts += np.bincount(dataset.load(index).labels.ravel(), minlength=256)
    return counts


def class_frequencies(
    counts: NDArray[np.int64], classes: int, ignored: tuple[int, ...] = ()
) -> NDArray[np.float64]:
    """
    Return the share of the labelled pixels of each class.

    :param counts: as :func:`count_labels` returns them
    :param ignored: ids that do not count as labelled
    :return: float64, one for each class, 0 to 1; zero for the ignored ones
    """
    counted = counts[:classes].copy()
    counted[list(ignored)] = 0
    return counted / max(int(counted.sum()), 1)


def warn_of_absent_classes(dataset: LabelledDataset, counts: NDArray[np.int64]) -> None:
    """Log which classes but void have no pixel: a mistake in the labels, as often as not."""
    label_set = dataset.label_set
    absent = [
        name
        for class_id, name in enumerate(label_set.names)
        if not counts[class_id] and class_id != label_set.void_id
    ]
    if not absent:
        return
    hint = ''
    if counts[0] and counts[IGNORED] and not counts[1:IGNORED].any():
        hint = f'; the labels hold 0 and {IGNORED} alone, and {IGNORED} is unlabelled: write ids'
    logger.warning('%s: no labelled pixel of %s%s', dataset.name, ', '.join(absent), hint)


def pixel_statistics(dataset: LabelledDataset) -> Normalization:
    """
    Return the mean of the pixels, and the mean over images of their standard deviation.

    So do the authors in train/loadData.py; the published weights were trained with it.
    """
    means, deviations = [], []
    for index in _evenly(len(dataset)):
        pixels = dataset.load(index).image_bgr.reshape(-1, 3)
        means.append(pixels.mean(axis=0))
        deviations.append(pixels.std(axis=0))
    blue, green, red = (float(v) for v in np.mean(means, axis=0))
    std_blue, std_green, std_red = (max(float(v), 1.0) for v in np.mean(deviations, axis=0))
    return Normalization((blue, green, red), (std_blue, std_green, std_red))


def _evenly(length: int) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, length - 1, min(length, MAX_SAMPLES)).astype(np.intp))
