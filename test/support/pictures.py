"""Files of images with a past: turned by EXIF, damaged on their way, from odd cameras."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

TURNED_HALF = 3
"""The EXIF orientation of a photograph that is to be shown upside down."""


def textured(height: int = 120, width: int = 160) -> NDArray[np.uint8]:
    """Return an image with something in every block, as of a camera; (height, width, 3)."""
    noise = np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.5), np.uint8)


def encoded(suffix: str, image: NDArray[np.uint8], *options: int) -> bytes:
    """Return a file as OpenCV writes it."""
    return bytes(cv2.imencode(suffix, image, options)[1])


def with_segment(jpeg: bytes, code: int, content: bytes) -> bytes:
    """Return a JPEG with a segment more behind its start."""
    segment = bytes((0xFF, code)) + (len(content) + 2).to_bytes(2, 'big') + content
    return jpeg[:2] + segment + jpeg[2:]


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """Return a JPEG that says in EXIF how it is to be turned."""
    entry = b'\x12\x01\x03\x00\x01\x00\x00\x00' + orientation.to_bytes(2, 'little') + b'\0\0'
    tiff = b'II*\x00\x08\x00\x00\x00' + b'\x01\x00' + entry + bytes(4)
    return with_segment(jpeg, 0xE1, b'Exif\0\0' + tiff)


def data_span(jpeg: bytes) -> tuple[int, int]:
    """Return where the entropy-coded data of a JPEG without thumbnail start and end."""
    scan = jpeg.index(b'\xff\xda')
    start = scan + 2 + int.from_bytes(jpeg[scan + 2 : scan + 4], 'big')
    return start, jpeg.index(b'\xff\xd9', start)


def at_share(jpeg: bytes, share: float) -> int:
    """Return a place in the entropy-coded data, 0 at their start and 1 at their end."""
    start, end = data_span(jpeg)
    return start + int(share * (end - start))
