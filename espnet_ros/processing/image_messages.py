"""
Image messages to arrays, whoever carries them: rclpy or a bag.

The layout of a message is checked against its data before anything is read, so a broken
camera driver is an :class:`InputError` and never a picture of somebody else's memory.
Encodings are named as in sensor_msgs/image_encodings.hpp.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast, NamedTuple, Protocol

import cv2
from espnet_ros.exceptions import InputError
from espnet_ros.processing.codecs import decode_unchanged, upper_bits
from espnet_ros.processing.image_formats.compressed_format import CompressedFormat, parse_format
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

_MOST_EXCESS = 1.25
"""Data by what size, step and encoding need: with more of it, one of them is wrong."""

_TIFF_STARTS = (b'II*\0', b'MM\0*')

_SEMI_PLANAR = {'nv12': cv2.COLOR_YUV2BGR_NV12, 'nv21': cv2.COLOR_YUV2BGR_NV21}

ENCODINGS = (*_PACKED, *_SEMI_PLANAR)
"""The encodings that :func:`raw_to_bgr` knows."""


def image_to_bgr(
    message: RawImage | CompressedImage,
    bit_depth: int = 16,
    convert_other: Callable[[Any], NDArray[np.uint8]] | None = None,
) -> NDArray[np.uint8]:
    """
    Return the image as 8-bit BGR; see :func:`raw_to_bgr` and :func:`compressed_to_bgr`.

    :param bit_depth: bits that count in values of 16
    :param convert_other: converts images of encodings that are not known here
    :return: uint8, (height, width, 3)
    :raises InputError: data, step or size do not fit each other, or nobody knows the encoding
    """
    if hasattr(message, 'format'):
        return compressed_to_bgr(cast('CompressedImage', message), bit_depth)
    if convert_other is not None and message.encoding not in ENCODINGS:
        return convert_other(message)
    return raw_to_bgr(message, bit_depth)


def raw_to_bgr(image: RawImage, bit_depth: int = 16) -> NDArray[np.uint8]:
    """
    Return the image as 8-bit BGR.

    :param bit_depth: bits that count in values of 16, 8 to 16; their upper 8 are kept
    :return: uint8, (height, width, 3). For bgr8 it is a read-only view of the message's
        data, rows padded as there; every other encoding is converted to a new array
    :raises InputError: data, step or size do not fit each other, or the encoding is none of
        ``ENCODINGS``
    """
    encoding = image.encoding
    if encoding in _PACKED:
        layout = _PACKED[encoding]
        pixels = _packed_view(image, layout)
        if layout.channel_bytes > 1:
            pixels = upper_bits(pixels, bit_depth)
        return _convert(pixels, encoding)
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


def compressed_to_bgr(image: CompressedImage, bit_depth: int = 16) -> NDArray[np.uint8]:
    """
    Decode a JPEG, PNG or TIFF, whose ``format`` tells what was compressed.

    A mosaic becomes colours. JPEG and PNG say themselves which channel is red, and OpenCV reads
    them as BGR; whatever the format says of rgb8 or bgr8 changes nothing, as
    compressed_image_transport compresses from bgr8 since 1.8.5 (2012). But it writes TIFF from
    the camera's own order as if that were BGR (since 2.3.2), so rgb8 is swapped there.

    :param bit_depth: as :func:`raw_to_bgr`
    :return: uint8, (height, width, 3), BGR, as the sensor has it: EXIF orientation is ignored
    :raises InputError: the data is no picture, is cut off or damaged
    """
    data = bytes(image.data)
    try:
        told = parse_format(image.format)
        pixels = decode_unchanged(data)
        if pixels.dtype == np.uint16:
            pixels = upper_bits(pixels, bit_depth)
        elif pixels.dtype != np.uint8:
            raise InputError(f'expected 8 or 16 bits a channel, found {pixels.dtype}')
        elif told.is_scaled_down and bit_depth < 16:
            pixels = cv2.convertScaleAbs(pixels, alpha=2.0 ** (16 - bit_depth))
        if pixels.ndim == 2:
            return _gray_to_bgr(pixels, told.mosaic)
        return _colors_to_bgr(pixels, told, is_tiff=data.startswith(_TIFF_STARTS))
    except InputError as error:
        raise InputError(f'compressed image, format {image.format!r}: {error}') from error


def _gray_to_bgr(pixels: NDArray[np.uint8], mosaic: str) -> NDArray[np.uint8]:
    encoding = mosaic or 'mono8'
    if encoding not in _PACKED:
        raise InputError(f'expected the Bayer pattern rggb, bggr, gbrg or grbg, found {mosaic!r}')
    height, width = pixels.shape
    _check_size(encoding, (height, width), _PACKED[encoding].smallest)
    return _convert(pixels, encoding)


def _colors_to_bgr(
    pixels: NDArray[np.uint8], told: CompressedFormat, *, is_tiff: bool
) -> NDArray[np.uint8]:
    is_rgb = is_tiff and not told.stored and told.original.startswith('rgb')
    order = 'rgb' if is_rgb else 'bgr'
    encoding = {3: f'{order}8', 4: f'{order}a8'}.get(pixels.shape[2])
    if encoding is None:
        raise InputError(f'expected 1, 3 or 4 channels, found {pixels.shape[2]}')
    return _convert(pixels, encoding)


def _convert(pixels: NDArray[np.uint8], encoding: str) -> NDArray[np.uint8]:
    """Return packed pixels as BGR; those that are of that order as they are."""
    to_bgr = _PACKED[encoding].to_bgr
    return pixels if to_bgr is None else np.asarray(cv2.cvtColor(pixels, to_bgr), np.uint8)


def _packed_view(image: RawImage, layout: _Packed) -> NDArray[Any]:
    """Return (height, width[, channels]) over the message's data, in its byte order."""
    height, width = image.height, image.width
    pixel_bytes = layout.channels * layout.channel_bytes
    _check_size(
        image.encoding, (height, width), layout.smallest, width_multiple=layout.width_multiple
    )
    data = _checked_data(image, height, width * pixel_bytes)
    order = '>' if image.is_bigendian else '<'
    pixels: NDArray[Any] = np.ndarray(
        (height, width, layout.channels),
        f'{order}u{layout.channel_bytes}',
        data,
        strides=(image.step, pixel_bytes, layout.channel_bytes),
    )
    pixels.flags.writeable = False
    return pixels[..., 0] if layout.channels == 1 else pixels


def _semi_planar_view(image: RawImage) -> NDArray[np.uint8]:
    """Return the luma rows and, below them, the rows of interleaved chroma."""
    _check_size(
        image.encoding, (image.height, image.width), 2, width_multiple=2, height_multiple=2
    )
    rows = image.height * 3 // 2
    data = _checked_data(image, rows, image.width)
    return np.ndarray((rows, image.width), np.uint8, data, strides=(image.step, 1))


def _check_size(
    encoding: str,
    size: tuple[int, int],
    smallest: int,
    *,
    width_multiple: int = 1,
    height_multiple: int = 1,
) -> None:
    height, width = size
    if min(height, width) < smallest:
        raise InputError(
            f'{encoding} image: expected at least {smallest}x{smallest} pixels, '
            f'found {width}x{height}'
        )
    if width % width_multiple or height % height_multiple:
        raise InputError(
            f'{encoding} image: expected a width that is a multiple of '
            f'{width_multiple} and a height that is one of {height_multiple}, '
            f'found {width}x{height}'
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
    # Some drivers add rows up to a multiple of 16.
    if not expected <= data.size <= _MOST_EXCESS * expected + 16 * image.step:
        raise InputError(
            f'{image.encoding} image of {image.width}x{image.height} pixels, step '
            f'{image.step}: expected {expected} bytes of data, found {data.size}'
        )
    return data
