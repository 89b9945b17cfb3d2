"""TIFF and BigTIFF files of any size, of which only what is looked at is decoded."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any
import zlib

from espnet_ros.exceptions import InputError
from espnet_ros.processing.image_files import tell_pages
import numpy as np
from numpy.typing import NDArray
import tifffile

_KEPT_BYTES = 128 << 20
"""Decoded tiles that are kept, because the next part overlaps this one."""


class SlideReader:
    """
    A picture in tiles or strips; a context manager closes it.

    :param path: a TIFF, BigTIFF or SVS file; of a pyramid the largest level is read
    :ivar size: (height, width)
    :raises InputError: it is no such file, or not of 8 bits a channel
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = tifffile.TiffFile(path)
        except (OSError, tifffile.TiffFileError, ValueError) as error:
            raise InputError(f'{path}: expected a TIFF file ({error})') from error
        try:
            series = self._file.series
            self._page: Any = series[0].levels[0].keyframe
            self.size = (int(self._page.imagelength), int(self._page.imagewidth))
            self._check()
        except (IndexError, ValueError, InputError) as error:
            self._file.close()
            raise InputError(f'{path}: {error}') from error
        if any(other.size > series[0].size for other in series[1:]):
            tell_pages(path, len(series))
        self._parts: OrderedDict[int, NDArray[Any]] = OrderedDict()
        self._kept_bytes = 0

    def read(self, top: int, left: int, height: int, width: int) -> NDArray[np.uint8]:
        """
        Return a part; beyond the edges of the picture its last pixels go on.

        :return: uint8, (height, width, channels): 3, BGR, or 1 for labels
        :raises InputError: the file is damaged there
        """
        bottom, right = min(top + height, self.size[0]), min(left + width, self.size[1])
        channels = self._channels
        found = np.zeros((bottom - top, right - left, channels), np.uint8)
        part_height, part_width = self._part_size()
        across = -(-self.size[1] // part_width)
        for row in range(top // part_height, -(-bottom // part_height)):
            for column in range(left // part_width, -(-right // part_width)):
                part = self._part(row * across + column)
                y, x = row * part_height, column * part_width
                y0, x0 = max(y, top), max(x, left)
                y1 = min(y + part.shape[0], bottom)
                x1 = min(x + part.shape[1], right)
                found[y0 - top : y1 - top, x0 - left : x1 - left] = part[
                    y0 - y : y1 - y, x0 - x : x1 - x, :channels
                ]
        missing = (height - found.shape[0], width - found.shape[1])
        if any(missing):
            found = np.pad(found, ((0, missing[0]), (0, missing[1]), (0, 0)), mode='edge')
        return np.ascontiguousarray(found[:, :, ::-1])

    def read_bgr(self, top: int, left: int, height: int, width: int) -> NDArray[np.uint8]:
        """
        Return a part of a picture as :meth:`read` does, gray and palettes as colours.

        :return: uint8, (height, width, 3), BGR
        :raises InputError: the file is damaged there
        """
        part = self.read(top, left, height, width)
        if part.shape[2] == 3:
            return part
        if self._page.photometric.name == 'PALETTE':
            # 16 bits a colour; some programs write 8.
            palette = np.asarray(self._page.colormap)
            levels = palette >> 8 if palette.max() > 255 else palette
            return np.ascontiguousarray(levels.T[part[..., 0], ::-1], np.uint8)
        return np.repeat(part, 3, axis=2)

    def close(self) -> None:
        self._parts.clear()
        self._file.close()

    def __enter__(self) -> SlideReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _channels(self) -> int:
        return 1 if self._page.samplesperpixel == 1 else 3

    def _check(self) -> None:
        page = self._page
        kinds = ('RGB', 'YCBCR', 'MINISBLACK', 'PALETTE')
        is_planar = page.samplesperpixel > 1 and page.planarconfig != 1
        if page.bitspersample != 8 or is_planar or page.photometric.name not in kinds:
            raise InputError(
                f'expected colours of 8 bits in tiles or strips, found {page.bitspersample} bits, '
                f'{page.photometric.name}; convert it, for example with: vips tiffsave'
            )

    def _part_size(self) -> tuple[int, int]:
        page = self._page
        if page.is_tiled:
            return int(page.tilelength), int(page.tilewidth)
        return min(int(page.rowsperstrip), self.size[0]), self.size[1]

    def _part(self, index: int) -> NDArray[Any]:
        if index in self._parts:
            self._parts.move_to_end(index)
            return self._parts[index]
        page = self._page
        try:
            handle = self._file.filehandle
            count = page.databytecounts[index]
            data = None
            if count:
                handle.seek(page.dataoffsets[index])
                data = handle.read(count)
                if len(data) < count:
                    raise ValueError('the file is cut off')
            decoded, _, shape = page.decode(data, index, jpegtables=page.jpegtables)
        except (ValueError, RuntimeError, IndexError, OSError, zlib.error) as error:
            raise InputError(f'{self.path}: cannot be read at part {index} ({error})') from error
        if decoded is None:  # a sparse file leaves empty tiles out
            decoded = np.zeros((*shape[1:3], page.samplesperpixel), np.uint8)
        part: NDArray[Any] = decoded.reshape(decoded.shape[-3:])[: shape[1], : shape[2]]
        self._parts[index] = part
        self._kept_bytes += part.nbytes
        while self._kept_bytes > _KEPT_BYTES and len(self._parts) > 1:
            self._kept_bytes -= self._parts.popitem(last=False)[1].nbytes
        return part
