"""Masks and images as messages, and images of encodings that only cv_bridge knows."""

from __future__ import annotations

import array
from importlib.util import find_spec
from typing import Any

from espnet_ros.exceptions import InputError
from espnet_ros.processing.image_messages import ENCODINGS
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

_MASK_ENCODINGS = ('mono8', '8UC1')


def mask_values(message: Image) -> NDArray[np.uint8]:
    """
    Return what a mask or a confidence holds, as a view of the message.

    :return: uint8, (height, width)
    :raises InputError: it has not one byte a pixel, or less data than its size needs
    """
    height, width, step = message.height, message.width, message.step
    if message.encoding not in _MASK_ENCODINGS:
        raise InputError(f'mask: expected encoding mono8, found {message.encoding!r}')
    if min(height, width) < 1 or step < width or len(message.data) < step * (height - 1) + width:
        raise InputError(
            f'mask: expected at least one pixel, rows of {width} bytes or more and all of them, '
            f'found {width}x{height} pixels, step {step} and {len(message.data)} bytes'
        )
    data = np.frombuffer(message.data, np.uint8)
    values: NDArray[np.uint8] = np.ndarray((height, width), np.uint8, data, strides=(step, 1))
    values.flags.writeable = False
    return values


def array_to_image(values: NDArray[np.uint8], encoding: str, header: Header) -> Image:
    """
    Return an image message that holds a copy of the array.

    :param values: uint8, (height, width) or (height, width, channels)
    :param header: is used as it is
    """
    message = Image(header=header, encoding=encoding)
    message.height, message.width = values.shape[:2]
    message.step = message.width * (values.shape[2] if values.ndim == 3 else 1)
    message.data = message_array('B', np.ascontiguousarray(values))
    return message


def bytes_to_compressed(data: bytes, compression: str, header: Header) -> CompressedImage:
    """
    Return a compressed image message.

    :param data: a PNG or JPEG file
    :param compression: in the words of compressed_image_transport, for example
        ``mono8; png compressed``
    :param header: is used as it is
    """
    message = CompressedImage(header=header, format=compression)
    message.data = message_array('B', data)
    return message


def message_array(kind: str, data: Any) -> array.array[Any]:
    """
    Return values as rclpy takes them as they are; anything else it converts one by one.

    :param kind: type code of :mod:`array`
    :param data: their bytes, or a contiguous array of one-byte values
    """
    values: array.array[Any] = array.array(kind)
    values.frombytes(data)
    return values


def convert_by_cv_bridge(message: Image) -> NDArray[np.uint8]:
    """
    Return the image of an encoding that only cv_bridge knows, as 8-bit BGR.

    :return: uint8, (height, width, 3)
    :raises InputError: it is not installed, or does not know it either
    """
    refusal = (
        f'image encoding {message.encoding!r}: expected one of {", ".join(ENCODINGS)}; other '
        'encodings need cv_bridge'
    )
    if find_spec('cv_bridge') is None:
        raise InputError(f'{refusal}, which is not installed')
    if not (message.height and message.width):
        raise InputError(
            f'{message.encoding} image: expected at least 1x1 pixels, '
            f'found {message.width}x{message.height}'
        )
    try:
        from cv_bridge import CvBridge  # noqa: PLC0415  (optional, and costly to load)

        image_bgr = CvBridge().imgmsg_to_cv2(message, desired_encoding='bgr8')
    except Exception as error:  # cv_bridge raises a RuntimeError, TypeError or cv2.error
        raise InputError(f'{refusal}, which failed: {error}') from error
    return np.asarray(image_bgr, np.uint8)
