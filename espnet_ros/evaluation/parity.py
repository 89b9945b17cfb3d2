"""
How far two label maps of the same images agree: overall, by image and by class.

It serves to compare two runtimes, two precisions or two model files.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from espnet_ros.evaluation.metrics import ConfusionMatrix
from espnet_ros.exceptions import InputError
from espnet_ros.labels import LabelSet, UNLABELLED_ID
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ImageAgreement:
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

    :param share_a: its share of all pixels in A, 0 to 1
    :param share_b: its share of all pixels in B, 0 to 1
    :param iou: pixels that have it in both by those that have it in one; None where none has
    """

    name: str
    share_a: float
    share_b: float
    iou: float | None


class Parity:
    """
    The agreement on many images, counted one after the other; no label map is kept.

    :ivar joint_counts: int64, (256, 256), pixels that are row in A and column in B
    """

    def __init__(self) -> None:
        self.images: list[ImageAgreement] = []
        self._matrix = ConfusionMatrix(UNLABELLED_ID)
        self.joint_counts = self._matrix.counts

    def add(
        self, name: str, labels_a: NDArray[np.uint8], labels_b: NDArray[np.uint8]
    ) -> ImageAgreement:
        """
        Count an image.

        :param labels_a: uint8, (H, W)
        :param labels_b: uint8, (H, W)
        :raises InputError: the label maps differ in size, or have no pixels
        """
        if labels_a.shape != labels_b.shape or not labels_a.size:
            raise InputError(
                f'{name}: expected two label maps of one size, found '
                f'{labels_a.shape} and {labels_b.shape}'
            )
        counts = self._matrix.add(labels_a, labels_b)
        image = ImageAgreement(name, labels_a.size, labels_a.size - int(np.trace(counts)))
        self.images.append(image)
        return image

    def extend(self, other: Parity, prefix: str = '') -> None:
        """
        Count what another has counted.

        :param prefix: put before the names of its images
        """
        self.images += [replace(each, name=f'{prefix}{each.name}') for each in other.images]
        self.joint_counts += other.joint_counts

    @property
    def agreement(self) -> float:
        """
        Return the share of all pixels that agree, 0 to 1.

        :raises InputError: nothing was compared
        """
        if not self.images:
            raise InputError('expected at least one image to compare, found none')
        return int(np.trace(self.joint_counts)) / int(self.joint_counts.sum())

    def worst(self, count: int) -> list[ImageAgreement]:
        return sorted(self.images, key=lambda image: image.agreement)[:count]

    def changes(self, label_set: LabelSet) -> list[ClassChange]:
        """Return what becomes of every class, in order of ids."""
        total = max(int(self.joint_counts.sum()), 1)
        in_a, in_b = self.joint_counts.sum(axis=1), self.joint_counts.sum(axis=0)
        changes = []
        for class_id, name in enumerate(label_set.names):
            both = int(self.joint_counts[class_id, class_id])
            either = int(in_a[class_id] + in_b[class_id]) - both
            changes.append(
                ClassChange(
                    name,
                    int(in_a[class_id]) / total,
                    int(in_b[class_id]) / total,
                    both / either if either else None,
                )
            )
        return changes
