"""
JPEG decoding that notices damage.

libjpeg decodes whatever is left of a JPEG. It fills what is missing with gray and says so on
standard error alone, so OpenCV returns half an image as if it were whole. Here sequential JPEGs
of one scan, which is what cameras send, are checked: no foreign marker among the data, every
restart marker, no long run of zeros, and data for every block. Of other JPEGs only the end
marker is looked for.

Bytes that are left over before the end marker are no damage: some cameras add hundreds of them
to every image (ros-drivers/axis_camera#51). So damage that happens to decode to as many blocks
as before, or to more, is not noticed.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
from espnet_ros.processing.image_formats.jpeg_stream import (
    cut_off,
    damaged,
    END,
    JpegStream,
    read_stream,
    SCAN,
)
import numpy as np
from numpy.typing import NDArray

_READ_AHEAD = bytes(8)
"""The decoder fills a register of 64 bits before it decodes the last block."""

_ZEROS = bytes(32)
"""Where zeros are no end of a block, 85 coefficients of -1 in a row: no image has them."""

_MIN_BLOCK_BITS = 2

_MISSING = 128
"""The value that libjpeg gives the pixels of blocks whose data are missing."""

_MAX_WIDTH = 65500


def decode_jpeg(file: bytes, flags: int) -> NDArray[Any] | None:
    """
    Return the image that a JPEG holds.

    :param file: its bytes; what follows its end marker is ignored
    :param flags: of cv2.imdecode
    :return: as cv2.imdecode; None where that knows no such JPEG
    :raises InputError: the JPEG is cut off or damaged
    :raises cv2.error: OpenCV refuses its size
    """
    stream = read_stream(file)
    if stream is None:
        # Inside the last scan the end marker cannot occur; what follows it is padding.
        if file.rfind(END) <= file.rfind(SCAN):
            raise cut_off(file)
        return _decode(file, flags)
    end, restarts = stream.find_markers()
    _check_data(stream, end)
    if not _opencv_tells_missing_data():
        image = _decode(file[:end] + END, flags)
    else:
        # Without the end marker the decoder runs dry where data are missing.
        image = _decode(file[:end] + _READ_AHEAD, flags)
        if image is None:
            raise damaged('its data end before the image does, or contradict its header')
        if not restarts:
            return image
    if image is not None:
        _check_intervals(stream, image, [*restarts, end])
    return image


def _decode(file: bytes, flags: int) -> NDArray[Any] | None:
    image: NDArray[Any] | None = cv2.imdecode(np.frombuffer(file, np.uint8), flags)
    return image


def _check_data(stream: JpegStream, end: int) -> None:
    bits = 8 * (end - stream.start)
    # A damaged size shall not take the memory.
    if stream.frame.mcu_count * stream.frame.mcu_blocks * _MIN_BLOCK_BITS > bits:
        raise damaged('it has too few data for its size')
    # Zeros before the end marker are the padding of some cameras.
    if not stream.has_zero_runs and _ZEROS in stream.file[stream.start : end].rstrip(b'\0'):
        raise damaged('a part of its data is zeros')


@cache
def _opencv_tells_missing_data() -> bool:
    """
    Return whether OpenCV refuses a JPEG whose data run dry, as it does since 4.11.

    Before, the rows that it cannot read are those of another image.
    """
    whole = bytes(cv2.imencode('.jpg', np.zeros((64, 64), np.uint8))[1])
    return _decode(whole[:-24], cv2.IMREAD_UNCHANGED) is None


def _check_intervals(stream: JpegStream, image: NDArray[Any], ends: list[int]) -> None:
    """
    Refuse an image in which data are missing, at the end or before a restart marker.

    libjpeg fills the rest of an interval with gray. Where the last MCU of one is of that gray,
    the interval is decoded alone, to see whether it is so by nature.

    :param ends: where in the file each interval ends
    """
    frame = stream.frame
    if image.shape[:2] != (frame.height, frame.width):
        return  # turned
    first = np.arange(len(ends)) * stream.interval
    last = np.minimum(first + (stream.interval or frame.mcu_count), frame.mcu_count) - 1
    rows = last // frame.mcu_columns * frame.mcu_height + frame.mcu_height // 2
    columns = last % frame.mcu_columns * frame.mcu_width + frame.mcu_width // 2
    pixels = image[np.minimum(rows, frame.height - 1), np.minimum(columns, frame.width - 1)]
    is_gray = (pixels.reshape(len(ends), -1) == _MISSING).all(axis=1)
    for index in np.flatnonzero(is_gray).tolist():
        start = ends[index - 1] + 2 if index else stream.start
        mcu_count = int(last[index] - first[index]) + 1
        if not _is_enough(stream, start, ends[index], mcu_count):
            raise damaged(f'data are missing before byte {ends[index]}')


def _is_enough(stream: JpegStream, start: int, end: int, mcu_count: int) -> bool:
    """Return whether a part of the data is enough for so many MCUs."""
    frame = stream.frame
    header = bytearray(stream.file[: stream.start])
    if mcu_count < frame.mcu_count:
        width = mcu_count * frame.mcu_width
        if width > _MAX_WIDTH:
            return True
        size = frame.mcu_height.to_bytes(2, 'big') + width.to_bytes(2, 'big')
        header[frame.at : frame.at + 4] = size
        header[stream.interval_at : stream.interval_at + 2] = bytes(2)
    part = bytes(header) + stream.file[start:end]
    # What is missing becomes gray in one of them, and in the other what zeros stand for.
    filled = _decode(part + END, cv2.IMREAD_UNCHANGED)
    continued = _decode(part + bytes(64 * mcu_count * frame.mcu_blocks), cv2.IMREAD_UNCHANGED)
    return filled is None or continued is None or np.array_equal(filled, continued)
