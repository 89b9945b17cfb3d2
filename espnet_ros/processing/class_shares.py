"""How much of a mask each class covers."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def class_shares(labels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """
    Return the ids that a mask holds, and the share of its pixels of each of them.

    :param labels: uint8, (H, W), class ids
    :return: ids, uint8, ascending; shares, float32, that add up to 1; both empty for a mask
        without pixels
    """
    if labels.size == 0:
        return np.empty(0, np.uint8), np.empty(0, np.float32)
    # numpy's bincount would make eight bytes of each pixel first.
    counts = cv2.calcHist([labels], [0], None, [256], [0, 256]).ravel()
    ids = np.flatnonzero(counts)
    return ids.astype(np.uint8), (counts[ids] / labels.size).astype(np.float32)
