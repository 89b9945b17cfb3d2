"""Label files: PNGs that hold the id or the colour of every pixel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
import struct
from typing import Any
import zlib

import cv2
from espnet_ros.exceptions import InputError
from espnet_ros.processing.image_formats.header import chunks_of, PNG_START, without_extras
import numpy as np
from numpy.typing import NDArray

_PNG_END = b'IEND\xaeB`\x82'
_GRAY, _PALETTE = 0, 3


@dataclass(frozen=True, eq=False)
class LabelPicture:
    """
    What a label file holds: ids, colours, or with a palette both.

    :param ids: (H, W), uint8 or uint16, or None
    :param colors_bgr: uint8, (H, W, 3), or None
    """

    ids: NDArray[np.integer] | None
    colors_bgr: NDArray[np.uint8] | None

    def pixels(self, palette: str = 'color') -> NDArray[np.integer]:
        """
        Return ids or colours.

        :param palette: what those of a file with a palette are: ``color`` or ``index``
        """
        is_index = self.colors_bgr is None or palette == 'index'
        pixels = self.ids if self.ids is not None and is_index else self.colors_bgr
        assert pixels is not None
        return pixels

    @property
    def size(self) -> tuple[int, int]:
        """Return (height, width) in pixels."""
        height, width = self.pixels().shape[:2]
        return height, width


def read_labels(path: Path) -> LabelPicture:
    """
    Read a label file.

    Gray files of 1, 2 or 4 bits hold ids as others do (PNG specification, section 11.2.2).

    :raises InputError: it is missing, cut off or no such image
    """
    data = read_bytes(path)
    if len(data) < 45 or not (data.startswith(PNG_START) and data.endswith(_PNG_END)):
        raise InputError(f'{path}: expected a whole PNG, found {len(data)} bytes that are none')
    bits, kind = data[24], data[25]
    try:
        raw = _decode(data)
    except InputError as error:
        raise InputError(f'{path}: {error}') from error
    if raw is None:
        raise InputError(f'{path}: expected a label image, found a damaged one')
    if kind == _PALETTE:
        indices = _decode(_without_palette(data))
        if indices is not None and indices.ndim == 2:
            return LabelPicture(_unscaled(indices, bits), np.ascontiguousarray(raw[..., :3]))
    elif kind == _GRAY and raw.ndim == 2 and raw.dtype in (np.uint8, np.uint16):
        return LabelPicture(_unscaled(raw, bits), None)
    elif raw.ndim == 3 and raw.shape[2] == 3 and raw.dtype == np.uint8:
        return LabelPicture(None, raw)
    raise InputError(
        f'{path}: expected one id a pixel (gray PNG of up to 16 bits, or one with a palette) or '
        f'colours, found an image of shape {raw.shape} and type {raw.dtype}'
    )


def read_bytes(path: Path) -> bytes:
    """
    Read a file.

    :raises InputError: it is missing or cannot be read
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f'{path}: cannot be read ({error.strerror})') from error


def _decode(data: bytes) -> NDArray[Any] | None:
    raw = cv2.imdecode(np.frombuffer(without_extras(data), np.uint8), cv2.IMREAD_UNCHANGED)
    return None if raw is None else np.asarray(raw)


def _unscaled(raw: NDArray[np.integer], bits: int) -> NDArray[np.integer]:
    """Return the stored values: OpenCV spreads those of less than 8 bits over 0 to 255."""
    return raw if bits >= 8 else raw // (255 // ((1 << bits) - 1))


def _without_palette(data: bytes) -> bytes:
    """Return a PNG whose gray values are the indices into the palette of another."""
    parts = [PNG_START]
    for name, body, _ in chunks_of(data):
        if name in (b'IHDR', b'IDAT', b'IEND'):
            content = body[:9] + bytes([_GRAY]) + body[10:] if name == b'IHDR' else body
            checksum = zlib.crc32(name + content)
            parts += [struct.pack('>I', len(content)), name, content, struct.pack('>I', checksum)]
    return b''.join(parts)
