"""
Image messages to arrays, whoever carries them: rclpy or a bag.

The layout of a message is checked against its data before anything is read, so a broken
camera driver is an :class:`InputError` and never a picture of somebody else's memory.
Encodings are named as in sensor_msgs/image_encodings.hpp.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import cv2
from espnet_ros.exceptions import InputError
from espnet_ros.processing.codecs import decode_image
import numpy as np
from numpy.typing import NDArray


class RawImage(Protocol):
    """The fields of sensor_msgs/Image that tell the pixels; ``data`` is a buffer of bytes."""

    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: Any


class CompressedImage(Protocol):
    """The fields of sensor_msgs/CompressedImage that tell the pixels."""

    format: str
    data: Any


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
"""The encodings that :func:`raw_to_bgr` knows."""


def raw_to_bgr(image: RawImage) -> NDArray[np.uint8]:
    """
    Return the image as 8-bit BGR.

    Values of 16 bits keep their upper byte (a division by 256).

    :return: uint8, (height, width, 3). For bgr8 it is a read-only view of the message's
        data, rows padded as there; every other encoding is converted to a new array
    :raises InputError: data, step or size do not fit each other, or the encoding is none of
        ``ENCODINGS``
    """
    encoding = image.encoding
    if encoding in _PACKED:
        layout = _PACKED[encoding]
        pixels = _packed_view(image, layout)
        if layout.to_bgr is None:
            return pixels
        return np.asarray(cv2.cvtColor(pixels, layout.to_bgr), np.uint8)
    if encoding in _SEMI_PLANAR:
        planes = _semi_planar_view(image)
        return np.asarray(cv2.cvtColor(planes, _SEMI_PLANAR[encoding]), np.uint8)
    raise InputError(f'image encoding {encoding!r}: expected one of {", ".join(ENCODINGS)}')


def color_view(image: RawImage, image_bgr: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], str]:
    """
    Return the image in its own colour order, to draw an overlay on.

    :param image_bgr: what the message became
    :return: uint8, (height, width, 3), and its encoding: rgb8 where the message is rgb8 or
        rgba8, else bgr8
    """
    if image.encoding == 'rgb8':
        return _packed_view(image, _PACKED['rgb8']), 'rgb8'
    if image.encoding == 'rgba8':
        return np.asarray(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB), np.uint8), 'rgb8'
    return image_bgr, 'bgr8'


def compressed_to_bgr(image: CompressedImage) -> NDArray[np.uint8]:
    """
    Decode a JPEG or PNG.

    :return: uint8, (height, width, 3), BGR
    :raises InputError: the data is neither, or damaged
    """
    try:
        return decode_image(bytes(image.data))
    except InputError as error:
        raise InputError(f'compressed image, format {image.format!r}: {error}') from error


def _packed_view(image: RawImage, layout: _Packed) -> NDArray[np.uint8]:
    """Return (height, width[, channels]) over the message's data, one byte a channel."""
    height, width = image.height, image.width
    pixel_bytes = layout.channels * layout.channel_bytes
    _check_size(image, layout.smallest, layout.width_multiple, 1)
    data = _checked_data(image, height, width * pixel_bytes)
    pixels = np.lib.stride_tricks.as_strided(
        data,
        (height, width, layout.channels, layout.channel_bytes),
        (image.step, pixel_bytes, layout.channel_bytes, 1),
        writeable=False,
    )
    upper_byte = pixels[..., 0 if image.is_bigendian else layout.channel_bytes - 1]
    if layout.channels == 1:
        upper_byte = upper_byte[..., 0]
    return upper_byte if layout.channel_bytes == 1 else np.ascontiguousarray(upper_byte)


def _semi_planar_view(image: RawImage) -> NDArray[np.uint8]:
    """Return the luma rows and, below them, the rows of interleaved chroma."""
    _check_size(image, 2, 2, 2)
    rows = image.height * 3 // 2
    data = _checked_data(image, rows, image.width)
    return np.lib.stride_tricks.as_strided(
        data, (rows, image.width), (image.step, 1), writeable=False
    )


def _check_size(image: RawImage, smallest: int, width_multiple: int, height_multiple: int) -> None:
    if min(image.height, image.width) < smallest:
        raise InputError(
            f'{image.encoding} image: expected at least {smallest}x{smallest} pixels, '
            f'found {image.width}x{image.height}'
        )
    if image.width % width_multiple or image.height % height_multiple:
        raise InputError(
            f'{image.encoding} image: expected a width that is a multiple of '
            f'{width_multiple} and a height that is one of {height_multiple}, '
            f'found {image.width}x{image.height}'
        )


def _checked_data(image: RawImage, rows: int, row_bytes: int) -> NDArray[np.uint8]:
    if image.step < row_bytes:
        raise InputError(
            f'{image.encoding} image, {image.width} pixels wide: expected a step of at '
            f'least {row_bytes} bytes, found {image.step}'
        )
    data = np.frombuffer(image.data, np.uint8)
    # The padding of the last row may be missing.
    expected = (rows - 1) * image.step + row_bytes
    if data.size < expected:
        raise InputError(
            f'{image.encoding} image of {image.width}x{image.height} pixels, step '
            f'{image.step}: expected {expected} bytes of data, found {data.size}'
        )
    return data
