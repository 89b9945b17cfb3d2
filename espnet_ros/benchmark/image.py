"""The image that a benchmark segments, again and again."""

from __future__ import annotations

from pathlib import Path

from espnet_ros.processing.codecs import decode_image
from espnet_ros.processing.preprocess import resize_image
from espnet_ros.sources import Frame, open_source
import numpy as np
from numpy.typing import NDArray


def read_image(path: Path, size: tuple[int, int] | None) -> NDArray[np.uint8]:
    """
    Return the image of a file, uint8 (H, W, 3), BGR.

    :param size: (height, width) that it is resized to; None keeps its own
    :raises InputError: it is no image
    :raises OSError: it cannot be read
    """
    image_bgr = decode_image(path.read_bytes())
    if size is None:
        return image_bgr
    resized = np.empty((*size, 3), np.uint8)
    resize_image(image_bgr, resized)
    return resized


def street_frame(size: tuple[int, int]) -> Frame:
    """Return a frame of the rendered street, with its class ids and calibration."""
    with open_source('synthetic', size=size) as source:
        return next(frame for frame in source if isinstance(frame, Frame))
