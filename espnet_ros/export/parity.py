"""
How far two label maps of the same images agree: overall, by image and by class.

It serves to compare two runtimes, two precisions or two model files.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from espnet_ros.exceptions import InputError
from espnet_ros.labels import LabelSet
import numpy as np
from numpy.typing import NDArray

_IDS = 256


@dataclass(frozen=True)
class LabelPair:
    """
    Two label maps of one image.

    :param name: the image
    :param labels_a: uint8, (H, W)
    :param labels_b: uint8, (H, W)
    """

    name: str
    labels_a: NDArray[np.uint8]
    labels_b: NDArray[np.uint8]


@dataclass(frozen=True)
class ImageAgreement:
    """
    The agreement on one image.

    :param name: the image
    :param pixels: how many it has
    :param differing: how many differ
    """

    name: str
    pixels: int
    differing: int

    @property
    def agreement(self) -> float:
        """Return the share of pixels that agree, 0 to 1."""
        return 1 - self.differing / self.pixels


@dataclass(frozen=True)
class ClassChange:
    """
    What becomes of one class.

    :param name: the class
    :param share_a: its share of all pixels in A, 0 to 1
    :param share_b: its share of all pixels in B, 0 to 1
    :param iou: pixels that have it in both by those that have it in one; None where none has
    """

    name: str
    share_a: float
    share_b: float
    iou: float | None


@dataclass(frozen=True)
class Parity:
    """
    The agreement on all images.

    :param agreement: share of all pixels that agree, 0 to 1
    :param images: each image, in order
    :param classes: each class of the label set, in order of ids
    """

    agreement: float
    images: tuple[ImageAgreement, ...]
    classes: tuple[ClassChange, ...]

    @property
    def worst(self) -> ImageAgreement:
        """Return the image that agrees least."""
        return min(self.images, key=lambda image: image.agreement)


def compare_labels(pairs: Iterable[LabelPair], label_set: LabelSet) -> Parity:
    """
    Compare label maps image by image; none is kept.

    :param pairs: the label maps, of the same size in each pair
    :param label_set: what the ids mean in both
    :raises InputError: no images, or label maps of different sizes
    """
    joint_counts = np.zeros((_IDS, _IDS), np.int64)
    images = []
    for pair in pairs:
        counts = _joint_counts(pair)
        joint_counts += counts
        pixels = pair.labels_a.size
        images.append(ImageAgreement(pair.name, pixels, pixels - int(np.trace(counts))))
    if not images:
        raise InputError('expected at least one image to compare, found none')
    agreement = int(np.trace(joint_counts)) / int(joint_counts.sum())
    return Parity(agreement, tuple(images), _class_changes(joint_counts, label_set))


def _joint_counts(pair: LabelPair) -> NDArray[np.int64]:
    """Return the pixels that are row in A and column in B."""
    if pair.labels_a.shape != pair.labels_b.shape or not pair.labels_a.size:
        raise InputError(
            f'{pair.name}: expected two label maps of one size, found '
            f'{pair.labels_a.shape} and {pair.labels_b.shape}'
        )
    joint = pair.labels_a.astype(np.uint16) * np.uint16(_IDS) + pair.labels_b
    return np.bincount(joint.ravel(), minlength=_IDS * _IDS).reshape(_IDS, _IDS)


def _class_changes(
    joint_counts: NDArray[np.int64], label_set: LabelSet
) -> tuple[ClassChange, ...]:
    total = int(joint_counts.sum())
    in_a, in_b = joint_counts.sum(axis=1), joint_counts.sum(axis=0)
    changes = []
    for class_id, name in enumerate(label_set.names):
        both = int(joint_counts[class_id, class_id])
        either = int(in_a[class_id] + in_b[class_id]) - both
        changes.append(
            ClassChange(
                name,
                int(in_a[class_id]) / total,
                int(in_b[class_id]) / total,
                both / either if either else None,
            )
        )
    return tuple(changes)
