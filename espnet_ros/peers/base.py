"""What a way to segment is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from espnet_ros.segmentation import StageTimes
import numpy as np
from numpy.typing import NDArray


class Peer(ABC):
    """One way from an image to a label map; used from one thread at a time."""

    runtime: str
    precision = 'fp32'
    device: str

    @abstractmethod
    def segment(self, image_bgr: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], StageTimes]:
        """
        Segment an image.

        :param image_bgr: uint8, (H, W, 3), BGR
        :return: uint8, (h, w), class ids at the size that this way gives, and what it took
        :raises InferenceError: the library failed
        """
