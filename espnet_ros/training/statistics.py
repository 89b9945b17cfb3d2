"""What a data set is like: how often each class occurs, and the statistics of its pixels."""

from __future__ import annotations

from espnet_ros.models.training_sets import Normalization
from espnet_ros.training.datasets.base import LabelledDataset
import numpy as np
from numpy.typing import NDArray

MAX_SAMPLES = 1000
"""Larger data sets are sampled evenly."""


def class_frequencies(
    dataset: LabelledDataset, ignored: tuple[int, ...] = ()
) -> NDArray[np.float64]:
    """
    Return the share of the labelled pixels of each class.

    :param ignored: ids that do not count as labelled
    :return: float64, one for each class, 0 to 1; zero for the ignored ones
    """
    classes = len(dataset.label_set.classes)
    counts = np.zeros(256, np.int64)
    for index in _evenly(len(dataset)):
        counts += np.bincount(dataset.load(index).labels.ravel(), minlength=256)
    counts[list(ignored)] = 0
    return counts[:classes] / max(int(counts[:classes].sum()), 1)


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
