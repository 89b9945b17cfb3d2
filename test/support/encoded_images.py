"""Small images of one colour in every encoding of sensor_msgs/Image that is read here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

COLOR_BGR = (50, 100, 200)
GRAY = (90, 90, 90)
PURE_BLUE = (255, 0, 0)

# Studio-range BT.601 of blue, as in every driver: Y 41, U 240, V 110.
YUV_BLUE = {'Y': 41, 'U': 240, 'V': 110}
YUV_TOLERANCE = 3


@dataclass(frozen=True, eq=False)
class EncodedImage:
    """
    An image as a driver sends it.

    :param rows: of uint8 or 16 bits, (rows, values of a row)
    :param height: of the image; chroma planes are further rows
    :param width: of the image
    :param expected_bgr: the colour of every pixel
    :param tolerance: how far a pixel may be off it
    """

    encoding: str
    rows: NDArray[Any]
    height: int
    width: int
    expected_bgr: tuple[int, int, int]
    tolerance: int = 0

    def fields(self, padding: int = 0, *, big_endian: bool = False) -> dict[str, Any]:
        """Return the fields of the message, with bytes of padding after each row."""
        rows = self.rows
        if rows.dtype != np.uint8:
            rows = rows.astype('>u2' if big_endian else '<u2').view(np.uint8)
        padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=255)
        return {
            'encoding': self.encoding,
            'height': self.height,
            'width': self.width,
            'is_bigendian': int(big_endian),
            'step': padded.shape[1],
            'data': padded.tobytes(),
        }

    def is_shown_by(self, image_bgr: NDArray[np.uint8]) -> bool:
        """Return whether this is the image, as 8-bit BGR."""
        if (image_bgr.shape, image_bgr.dtype) != ((self.height, self.width, 3), np.uint8):
            return False
        return bool((np.abs(image_bgr.astype(int) - self.expected_bgr) <= self.tolerance).all())


def _packed(
    encoding: str, pixel: tuple[int, ...], expected_bgr: tuple[int, int, int]
) -> EncodedImage:
    dtype = np.uint16 if '16' in encoding else np.uint8
    return EncodedImage(encoding, np.tile(np.array(pixel, dtype), (4, 6)), 4, 6, expected_bgr)


def _mosaic(pattern: str, bits: int) -> EncodedImage:
    """Return what a Bayer sensor sees of COLOR_BGR; the pattern names the first two rows."""
    tile = np.array([COLOR_BGR['bgr'.index(letter)] for letter in pattern]).reshape(2, 2)
    rows = np.tile(tile, (4, 4))
    rows = rows.astype(np.uint8) if bits == 8 else (rows * 256 + 99).astype(np.uint16)
    return EncodedImage(f'bayer_{pattern}{bits}', rows, 8, 8, COLOR_BGR)


def _yuv422(encoding: str, order: str) -> EncodedImage:
    """Return two bytes a pixel; the order is of two pixels."""
    rows = np.tile(np.array([YUV_BLUE[letter] for letter in order], np.uint8), (4, 3))
    return EncodedImage(encoding, rows, 4, 6, PURE_BLUE, YUV_TOLERANCE)


def _semi_planar(encoding: str, order: str) -> EncodedImage:
    chroma = np.tile(np.array([YUV_BLUE[letter] for letter in order]), (2, 3))
    rows = np.vstack([np.full((4, 6), YUV_BLUE['Y']), chroma]).astype(np.uint8)
    return EncodedImage(encoding, rows, 4, 6, PURE_BLUE, YUV_TOLERANCE)


DEEP_BGR = tuple(256 * value + 7 for value in COLOR_BGR)

ENCODED_IMAGES = (
    _packed('bgr8', COLOR_BGR, COLOR_BGR),
    _packed('8UC3', COLOR_BGR, COLOR_BGR),
    _packed('rgb8', COLOR_BGR[::-1], COLOR_BGR),
    _packed('bgra8', (*COLOR_BGR, 7), COLOR_BGR),
    _packed('8UC4', (*COLOR_BGR, 7), COLOR_BGR),
    _packed('rgba8', (*COLOR_BGR[::-1], 7), COLOR_BGR),
    _packed('mono8', (90,), GRAY),
    _packed('8UC1', (90,), GRAY),
    _packed('mono16', (90 * 256 + 255,), GRAY),
    _packed('16UC1', (90 * 256,), GRAY),
    _packed('bgr16', DEEP_BGR, COLOR_BGR),
    _packed('16UC3', DEEP_BGR, COLOR_BGR),
    _packed('rgb16', DEEP_BGR[::-1], COLOR_BGR),
    *(_mosaic(pattern, bits) for pattern in ('rggb', 'bggr', 'gbrg', 'grbg') for bits in (8, 16)),
    _yuv422('yuv422', 'UYVY'),
    _yuv422('uyvy', 'UYVY'),
    _yuv422('yuv422_yuy2', 'YUYV'),
    _yuv422('yuyv', 'YUYV'),
    _semi_planar('nv12', 'UV'),
    _semi_planar('nv21', 'VU'),
)


def encoded_image(encoding: str) -> EncodedImage:
    return next(image for image in ENCODED_IMAGES if image.encoding == encoding)
