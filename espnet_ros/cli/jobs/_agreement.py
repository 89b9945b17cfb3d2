"""How far two label maps of the same image agree, overall and by class."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


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
    :param share_a: its share of the pixels in A, 0 to 1
    :param share_b: its share in B
    :param iou: pixels that have it in both by those that have it in one; None where none has
    """

    name: str
    share_a: float
    share_b: float
    iou: float | None


@dataclass
class Agreement:
    """
    The agreement on many images.

    :ivar images: each image
    :ivar joint_counts: int64, (256, 256), pixels that are row in A and column in B
    """

    images: list[ImageAgreement] = field(default_factory=list)
    joint_counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros((256, 256), np.int64))

    def add(
        self, name: str, labels_a: NDArray[np.uint8], labels_b: NDArray[np.uint8]
    ) -> ImageAgreement:
        """
        Count an image.

        :param labels_a: uint8, (H, W)
        :param labels_b: uint8, (H, W)
        """
        joint = labels_a.astype(np.uint16) << 8 | labels_b
        counts = np.bincount(joint.ravel(), minlength=1 << 16).reshape(256, 256)
        self.joint_counts += counts
        pixels = labels_a.size
        image = ImageAgreement(name, pixels, pixels - int(np.trace(counts)))
        self.images.append(image)
        return image

    @property
    def overall(self) -> float:
        """Return the share of all pixels that agree, 0 to 1; 0 without any."""
        total = int(self.joint_counts.sum())
        return int(np.trace(self.joint_counts)) / total if total else 0.0

    def worst(self, count: int) -> list[ImageAgreement]:
        """Return the images that agree least."""
        return sorted(self.images, key=lambda image: image.agreement)[:count]

    def changes(self, names: tuple[str, ...]) -> list[ClassChange]:
        """Return what becomes of every class, in order of ids."""
        total = max(int(self.joint_counts.sum()), 1)
        in_a, in_b = self.joint_counts.sum(axis=1), self.joint_counts.sum(axis=0)
        both = np.diagonal(self.joint_counts)
        changes = []
        for class_id, name in enumerate(names):
            union = int(in_a[class_id] + in_b[class_id] - both[class_id])
            changes.append(
                ClassChange(
                    name,
                    float(in_a[class_id] / total),
                    float(in_b[class_id] / total),
                    int(both[class_id]) / union if union else None,
                )
            )
        return changes
