"""A few images of a source, evenly spread over it."""

from __future__ import annotations

from espnet_ros.exceptions import InputError
from espnet_ros.processing.preprocess import resize_image
from espnet_ros.sources.base import Frame
from espnet_ros.sources.opening import open_source
import numpy as np
from numpy.typing import NDArray


def sample_images(spec: str, count: int, size: tuple[int, int]) -> list[NDArray[np.uint8]]:
    """
    Return images of a source at the network's size.

    :param spec: as for ``espnet-ros segment``
    :param count: how many at most
    :param size: (height, width) in pixels
    :return: uint8, (height, width, 3) each, BGR
    :raises InputError: there is no image that can be read
    """
    images: list[NDArray[np.uint8]] = []
    with open_source(spec) as source:
        step = max((source.frame_count or count) // count, 1)
        for index, frame in enumerate(source):
            if len(images) == count:
                break
            if index % step or not isinstance(frame, Frame):
                continue
            image = np.empty((*size, 3), np.uint8)
            resize_image(frame.image_bgr, image)
            images.append(image)
    if not images:
        raise InputError(f'{spec}: expected images that can be read, found none')
    return images
