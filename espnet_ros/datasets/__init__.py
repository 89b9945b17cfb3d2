"""
Labelled data sets, read as they are distributed; no torch is needed.

Every mistake in the data is an :class:`~espnet_ros.exceptions.InputError` that names the file.
"""

from espnet_ros.datasets.base import IGNORED, LabelledDataset, PairDataset, Sample

__all__ = ['IGNORED', 'LabelledDataset', 'PairDataset', 'Sample']
