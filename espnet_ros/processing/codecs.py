"""Images to and from PNG and JPEG, in memory and as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
from espnet_ros.exceptions import InputError, OutputError
from espnet_ros.file_kinds import FileKind, kind_of_data
from espnet_ros.files import write_atomically
from espnet_ros.processing.image_formats.header import PNG_START, read_header, without_extras
from espnet_ros.processing.image_formats.jpeg import decode_jpeg
from espnet_ros.processing.image_formats.jpeg_stream import cut_off, START
import numpy as np
from numpy.typing import NDArray

_PNG_COMPRESSION = 1
"""Of 0 to 9; higher levels take several times as long and save little."""

_IMAGE_OPTIONS = [cv2.IMWRITE_PNG_COMPRESSION, _PNG_COMPRESSION]

_MASK_OPTIONS = [
    *_IMAGE_OPTIONS,
    cv2.IMWRITE_PNG_STRATEGY,
    cv2.IMWRITE_PNG_STRATEGY_RLE,
]
if hasattr(cv2, 'IMWRITE_PNG_FILTER'):
    # Trying every filter on every row takes ten times as long (OpenCV before 4.11 does not).
    _MASK_OPTIONS += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE]

_PNG_END = b'IEND'

MAX_PIXELS = 1 << 27
"""Of an image that is read: 134 million, 400 MB decoded."""


_UNREADABLE = {FileKind.IMAGE: 'of one that is damaged, or not of 8 or 16 bits a channel'}


def encode_png(array: NDArray[np.uint8]) -> bytes:
    """
    Return an image or mask as PNG, without loss.

    :param array: uint8, (H, W) or (H, W, 3) in BGR
    :raises OutputError: the array is no image
    """
    return _encode('.png', array, _MASK_OPTIONS if array.ndim == 2 else _IMAGE_OPTIONS)


def encode_jpeg(image_bgr: NDArray[np.uint8], quality: int = 90) -> bytes:
    """
    Return an image as JPEG.

    :param image_bgr: uint8, (H, W, 3) in BGR, or (H, W)
    :param quality: 1 to 100
    :raises OutputError: the array is no image, or larger than JPEG can be
    """
    return _encode('.jpg', image_bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])


def _encode(suffix: str, array: NDArray[np.uint8], options: list[int]) -> bytes:
    try:
        done, data = cv2.imencode(suffix, array, options)
    except cv2.error as error:
        raise OutputError(
            f'cannot encode an array of shape {array.shape} and type {array.dtype} as '
            f'{suffix[1:].upper()} ({error.err})'
        ) from error
    if not done:
        raise OutputError(f'cannot encode an array of shape {array.shape} as {suffix[1:].upper()}')
    return bytes(data)


def decode_image(data: bytes, *, turned: bool = True, bit_depth: int = 16) -> NDArray[np.uint8]:
    """
    Return the image that a PNG, JPEG or other common file holds.

    :param turned: whether it is turned as its EXIF orientation says, as photographs are meant to
        be seen
    :param bit_depth: bits that count in files of 16 bits, 8 to 16; larger values become 255
    :return: uint8, (H, W, 3), BGR; gray images have three equal channels
    :raises InputError: the data is no image, is cut off or damaged
    """
    flags = cv2.IMREAD_COLOR | (0 if turned else cv2.IMREAD_IGNORE_ORIENTATION)
    if bit_depth == 16:
        return np.asarray(_decode(data, flags), np.uint8)
    pixels = _decode(data, flags | cv2.IMREAD_ANYDEPTH)
    if pixels.dtype == np.uint16:
        return upper_bits(pixels, bit_depth)
    if pixels.dtype != np.uint8:
        raise InputError(f'expected 8 or 16 bits a channel, found {pixels.dtype}')
    return pixels


def decode_unchanged(data: bytes) -> NDArray[Any]:
    """
    Return the pixels of a PNG, JPEG or other common file as they are stored.

    Nothing is turned: camera_info is of the image as the sensor has it, whatever EXIF says.

    :return: (H, W) or (H, W, channels), of the file's own depth; colours in the order B, G, R, A
    :raises InputError: the data is no image, is cut off or damaged
    """
    return _decode(data, cv2.IMREAD_UNCHANGED)


def upper_bits(values: NDArray[Any], bit_depth: int) -> NDArray[np.uint8]:
    """
    Return the upper 8 of so many bits; larger values become 255.

    :param values: of 16 bits, any byte order
    """
    native = np.ascontiguousarray(values, np.uint16)
    # The offset makes rounding a cut, for every value.
    step = 2.0 ** (bit_depth - 8)
    offset = (1 / step - 1) / 2
    return np.asarray(cv2.convertScaleAbs(native, alpha=1 / step, beta=offset), np.uint8)


def _decode(data: bytes, flags: int) -> NDArray[Any]:
    image: NDArray[Any] | None
    try:
        _check_size(data)
        if data.startswith(START):
            image = decode_jpeg(data, flags)
        else:
            # OpenCV refuses a damaged PNG, but fills up one that is cut off.
            if data.startswith(PNG_START):
                if _PNG_END not in data[-64:]:
                    raise cut_off(data)
                data = without_extras(data)
            image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except cv2.error as error:
        raise InputError(f'cannot decode an image of {len(data)} bytes ({error.err})') from error
    if image is None:
        kind = kind_of_data(data)
        raise InputError(
            f'expected the content of an image file (PNG, JPEG ...), found {len(data)} bytes '
            + _UNREADABLE.get(kind, f'that are none: {kind.value}')
        )
    return np.asarray(image)


def _check_size(data: bytes) -> None:
    """
    Refuse an image that would fill the memory: a file of a megabyte may hold 900 million pixels.

    :raises InputError: it has more than :data:`MAX_PIXELS`
    """
    height, width = read_header(data).size or (0, 0)
    if width * height > MAX_PIXELS:
        raise InputError(
            f'expected an image of up to {MAX_PIXELS / 1e6:.0f} million pixels, found '
            f'{width}x{height}; reduce it or cut it into parts'
        )


def write_image(path: str | Path, array: NDArray[np.uint8]) -> None:
    """
    Write an image file; under its name there is never half a file.

    :param path: its suffix says the format: .png, .jpg or .jpeg
    :param array: uint8, (H, W) or (H, W, 3) in BGR
    :raises OutputError: another suffix, or the file cannot be written
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in ('.png', '.jpg', '.jpeg'):
        raise OutputError(f'{path}: expected a file name that ends with .png, .jpg or .jpeg')
    data = encode_png(array) if suffix == '.png' else encode_jpeg(array)
    try:
        write_atomically(path, data)
    except OSError as error:
        raise OutputError(f'{path}: cannot be written ({error.strerror})') from error
