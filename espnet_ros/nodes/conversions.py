"""
Image messages to arrays and back.

The layout of a message is checked against its data before anything is read, so a broken
camera driver is an :class:`InputError` and never a picture of somebody else's memory.
Encodings are named as in sensor_msgs/image_encodings.hpp.
"""

from __future__ import annotations

import array
from importlib.util import find_spec
from typing import Any, NamedTuple

import cv2
from espnet_ros.exceptions import InputError
from espnet_ros.processing.codecs import decode_image
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header


class _Packed(NamedTuple):
    """Pixels that lie one after the other, and how OpenCV makes BGR of them."""

    channels: int
    channel_bytes: int
    to_bgr: int | None
    smallest: int = 1
    width_multiple: int = 1


_PACKED = {
    'bgr8': _Packed(3, 1, None),
    'rgb8': _Packed(3, 1, cv2.COLOR_RGB2BGR),
    'bgra8': _Packed(4, 1, cv2.COLOR_BGRA2BGR),
    'rgba8': _Packed(4, 1, cv2.COLOR_RGBA2BGR),
    'mono8': _Packed(1, 1, cv2.COLOR_GRAY2BGR),
    'bgr16': _Packed(3, 2, None),
    'rgb16': _Packed(3, 2, cv2.COLOR_RGB2BGR),
    'mono16': _Packed(1, 2, cv2.COLOR_GRAY2BGR),
    # OpenCV's own names do not say the order of channels; drivers mean these.
    '8UC1': _Packed(1, 1, cv2.COLOR_GRAY2BGR),
    '8UC3': _Packed(3, 1, None),
    '8UC4': _Packed(4, 1, cv2.COLOR_BGRA2BGR),
    '16UC1': _Packed(1, 2, cv2.COLOR_GRAY2BGR),
    '16UC3': _Packed(3, 2, None),
    # sensor_msgs' yuv422 is UYVY; newer releases have the plain names too.
    'yuv422': _Packed(2, 1, cv2.COLOR_YUV2BGR_UYVY, width_multiple=2),
    'uyvy': _Packed(2, 1, cv2.COLOR_YUV2BGR_UYVY, width_multiple=2),
    'yuv422_yuy2': _Packed(2, 1, cv2.COLOR_YUV2BGR_YUYV, width_multiple=2),
    'yuyv': _Packed(2, 1, cv2.COLOR_YUV2BGR_YUYV, width_multiple=2),
}
# A pattern names the first two rows. OpenCV's older names (COLOR_BayerBG2BGR for rggb) are
# those of the second row and column, hence the newer ones here. Below 3x3 it returns black.
for _pattern, _code in (
    ('rggb', cv2.COLOR_BayerRGGB2BGR),
    ('bggr', cv2.COLOR_BayerBGGR2BGR),
    ('gbrg', cv2.COLOR_BayerGBRG2BGR),
    ('grbg', cv2.COLOR_BayerGRBG2BGR),
):
    _PACKED[f'bayer_{_pattern}8'] = _Packed(1, 1, _code, smallest=3)
    _PACKED[f'bayer_{_pattern}16'] = _Packed(1, 2, _code, smallest=3)

_SEMI_PLANAR = {'nv12': cv2.COLOR_YUV2BGR_NV12, 'nv21': cv2.COLOR_YUV2BGR_NV21}

ENCODINGS = (*_PACKED, *_SEMI_PLANAR)
"""The encodings that need no cv_bridge."""


def image_to_bgr(message: Image) -> NDArray[np.uint8]:
    """
    Return the image as 8-bit BGR.

    Values of 16 bits keep their upper byte (a division by 256).

    :return: uint8, (height, width, 3). For bgr8 it is a read-only view of the message's
        data, rows padded as there; every other encoding is converted to a new array
    :raises InputError: data, step or size do not fit each other, or nobody here knows the
        encoding
    """
    encoding = message.encoding
    if encoding in _PACKED:
        layout = _PACKED[encoding]
        pixels = _packed_view(message, layout)
        if layout.to_bgr is None:
            return pixels
        return np.asarray(cv2.cvtColor(pixels, layout.to_bgr), np.uint8)
    if encoding in _SEMI_PLANAR:
        return np.asarray(
            cv2.cvtColor(_semi_planar_view(message), _SEMI_PLANAR[encoding]), np.uint8
        )
    return _by_cv_bridge(message)


def color_view(message: Image, image_bgr: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], str]:
    """
    Return the image in its own colour order, to draw an overlay on.

    :param image_bgr: what :func:`image_to_bgr` returned for the message
    :return: uint8, (height, width, 3), and its encoding: rgb8 where the message is rgb8 or
        rgba8, else bgr8
    """
    if message.encoding == 'rgb8':
        return _packed_view(message, _PACKED['rgb8']), 'rgb8'
    if message.encoding == 'rgba8':
        return np.asarray(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB), np.uint8), 'rgb8'
    return image_bgr, 'bgr8'


def compressed_to_bgr(message: CompressedImage) -> NDArray[np.uint8]:
    """
    Decode a JPEG or PNG.

    :return: uint8, (height, width, 3), BGR
    :raises InputError: the data is neither, or damaged
    """
    try:
        return decode_image(bytes(message.data))
    except InputError as error:
        raise InputError(f'compressed image, format {message.format!r}: {error}') from error


def array_to_image(values: NDArray[np.uint8], encoding: str, header: Header) -> Image:
    """
    Return an image message that holds a copy of the array.

    :param values: uint8, (height, width) or (height, width, channels)
    :param encoding: for example mono8 or rgb8
    :param header: is used as it is
    """
    message = Image()
    fill_image(message, values, encoding, header)
    return message


def fill_image(message: Image, values: NDArray[np.uint8], encoding: str, header: Header) -> None:
    """
    Copy an array into an image message, into the memory that it has if that is large enough.

    Publishing copies a message, so one message serves for all frames of a topic; fresh
    memory of this size costs more than the copy.
    """
    message.header = header
    message.height, message.width = values.shape[:2]
    message.encoding = encoding
    message.step = message.width * (values.shape[2] if values.ndim == 3 else 1)
    if len(message.data) == values.size:
        np.copyto(np.frombuffer(message.data, np.uint8).reshape(values.shape), values)
    else:
        message.data = _byte_array(np.ascontiguousarray(values))


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


def _packed_view(message: Image, layout: _Packed) -> NDArray[np.uint8]:
    """Return (height, width[, channels]) over the message's data, one byte a channel."""
    height, width = message.height, message.width
    pixel_bytes = layout.channels * layout.channel_bytes
    _check_size(message, layout.smallest, layout.width_multiple, 1)
    data = _checked_data(message, height, width * pixel_bytes)
    pixels = np.lib.stride_tricks.as_strided(
        data,
        (height, width, layout.channels, layout.channel_bytes),
        (message.step, pixel_bytes, layout.channel_bytes, 1),
        writeable=False,
    )
    upper_byte = pixels[..., 0 if message.is_bigendian else layout.channel_bytes - 1]
    if layout.channels == 1:
        upper_byte = upper_byte[..., 0]
    return upper_byte if layout.channel_bytes == 1 else np.ascontiguousarray(upper_byte)


def _semi_planar_view(message: Image) -> NDArray[np.uint8]:
    """Return the luma rows and, below them, the rows of interleaved chroma."""
    _check_size(message, 2, 2, 2)
    rows = message.height * 3 // 2
    data = _checked_data(message, rows, message.width)
    return np.lib.stride_tricks.as_strided(
        data, (rows, message.width), (message.step, 1), writeable=False
    )


def _check_size(message: Image, smallest: int, width_multiple: int, height_multiple: int) -> None:
    if min(message.height, message.width) < smallest:
        raise InputError(
            f'{message.encoding} image: expected at least {smallest}x{smallest} pixels, '
            f'found {message.width}x{message.height}'
        )
    if message.width % width_multiple or message.height % height_multiple:
        raise InputError(
            f'{message.encoding} image: expected a width that is a multiple of '
            f'{width_multiple} and a height that is one of {height_multiple}, '
            f'found {message.width}x{message.height}'
        )


def _checked_data(message: Image, rows: int, row_bytes: int) -> NDArray[np.uint8]:
    if message.step < row_bytes:
        raise InputError(
            f'{message.encoding} image, {message.width} pixels wide: expected a step of at '
            f'least {row_bytes} bytes, found {message.step}'
        )
    data = np.frombuffer(message.data, np.uint8)
    # The padding of the last row may be missing.
    expected = (rows - 1) * message.step + row_bytes
    if data.size < expected:
        raise InputError(
            f'{message.encoding} image of {message.width}x{message.height} pixels, step '
            f'{message.step}: expected {expected} bytes of data, found {data.size}'
        )
    return data


def _by_cv_bridge(message: Image) -> NDArray[np.uint8]:
    refusal = (
        f'image encoding {message.encoding!r}: expected one of {", ".join(ENCODINGS)}; other '
        'encodings need cv_bridge'
    )
    if find_spec('cv_bridge') is None:
        raise InputError(f'{refusal}, which is not installed')
    _check_size(message, 1, 1, 1)
    try:
        from cv_bridge import CvBridge  # noqa: PLC0415  (optional, and costly to load)

        image_bgr = CvBridge().imgmsg_to_cv2(message, desired_encoding='bgr8')
    except Exception as error:  # cv_bridge raises a RuntimeError, TypeError or cv2.error
        raise InputError(f'{refusal}, which failed: {error}') from error
    return np.asarray(image_bgr, np.uint8)
