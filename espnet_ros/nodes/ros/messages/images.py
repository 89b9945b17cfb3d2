"""Image messages to arrays and back."""

from __future__ import annotations

import array
from importlib.util import find_spec
from typing import Any

from espnet_ros.exceptions import InputError
from espnet_ros.processing.image_messages import compressed_to_bgr, ENCODINGS, raw_to_bgr
import numpy as np
from numpy.typing import NDArray
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

_MASK_ENCODINGS = ('mono8', '8UC1')
_COUNT_BYTES = 4


def image_to_bgr(message: Image | CompressedImage, bit_depth: int = 16) -> NDArray[np.uint8]:
    """
    Return the image as 8-bit BGR; see :func:`raw_to_bgr` and :func:`compressed_to_bgr`.

    Encodings that are not known there are left to cv_bridge, where it is installed.

    :param bit_depth: bits that count in values of 16
    :return: uint8, (height, width, 3)
    :raises InputError: data, step or size do not fit each other, or nobody here knows the
        encoding or format
    """
    if isinstance(message, CompressedImage):
        return compressed_to_bgr(message, bit_depth)
    if message.encoding in ENCODINGS:
        return raw_to_bgr(message, bit_depth)
    return _by_cv_bridge(message)


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
    message = _describe_image(values, encoding, header)
    message.data = _byte_array(np.ascontiguousarray(values))
    return message


def serialize_image(values: NDArray[np.uint8], encoding: str, header: Header) -> bytes:
    """
    Return an image message as it goes over the wire, which publishers take as it is.

    Its pixels come last in the message, after their number, so that they are appended to a
    message without pixels.

    :param values: uint8, (height, width) or (height, width, channels)
    :param header: is used as it is
    """
    empty = serialize_message(_describe_image(values, encoding, header))
    is_little_endian = empty[1] & 1  # of the representation identifier of CDR
    count = values.size.to_bytes(_COUNT_BYTES, 'little' if is_little_endian else 'big')
    return b''.join((empty[:-_COUNT_BYTES], count, np.ascontiguousarray(values).data))


def _describe_image(values: NDArray[np.uint8], encoding: str, header: Header) -> Image:
    """Return an image message without pixels."""
    message = Image(header=header, encoding=encoding)
    message.height, message.width = values.shape[:2]
    message.step = message.width * (values.shape[2] if values.ndim == 3 else 1)
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
    message.data = _byte_array(data)
    return message


def _byte_array(data: Any) -> array.array[int]:
    # rclpy takes an array.array as it is; anything else is converted byte by byte.
    values = array.array('B')
    values.frombytes(data)
    return values


def _by_cv_bridge(message: Image) -> NDArray[np.uint8]:
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
