"""From the arguments of a verb to a labelled data set."""

from __future__ import annotations

import argparse

from espnet_ros.labels import load_label_set
from espnet_ros.training.datasets.base import LabelledDataset
from espnet_ros.training.datasets.opening import open_dataset


def open_labelled(arguments: argparse.Namespace, split: str) -> LabelledDataset:
    """
    Open a split of what ``--data``, ``--format`` and ``--label-set`` name.

    :raises ConfigError: they do not go together
    :raises InputError: files are missing
    """
    label_set = None if arguments.label_set is None else load_label_set(arguments.label_set)
    return open_dataset(arguments.data, split, format_name=arguments.format, label_set=label_set)
