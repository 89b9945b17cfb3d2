"""Tiled TIFF files with a pyramid, written from rows that come from top to bottom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from espnet_ros.exceptions import OutputError
import numpy as np
from numpy.typing import NDArray
import tifffile

TILE = 256

_SMALLEST = 1024
"""A level of the pyramid that is no larger is the last one."""

_BIG_BYTES = 2 << 30


class RowsFile:
    """
    Rows of pixels on the disk, and the smaller levels that are made of them.

    :param folder: where its files are kept, which nobody needs after the end
    :param shape: (height, width) or (height, width, 3)
    """

    def __init__(self, folder: Path, shape: tuple[int, ...], name: str = 'mask') -> None:
        self.shapes = [shape]
        while max(self.shapes[-1][:2]) > _SMALLEST:
            height, width, *rest = self.shapes[-1]
            self.shapes.append(((height + 1) // 2, (width + 1) // 2, *rest))
        self._paths = [folder / f'.{name}_{index}.raw' for index in range(len(self.shapes))]
        self._rows = 0

    def fill(self, bands: Iterable[NDArray[np.uint8]]) -> None:
        """
        Take all rows, in bands of full width.

        :raises OutputError: the disk is full
        """
        try:
            files = [path.open('wb') for path in self._paths]
            try:
                for band in bands:
                    for level, file in enumerate(files):
                        step = 1 << level
                        first = -self._rows % step
                        file.write(np.ascontiguousarray(band[first::step, ::step]).tobytes())
                    self._rows += len(band)
            finally:
                for file in files:
                    file.close()
        except OSError as error:
            raise OutputError(f'{self._paths[0].parent}: cannot be written ({error})') from error

    def remove(self) -> None:
        for path in self._paths:
            path.unlink(missing_ok=True)

    def tiles(self, level: int) -> Iterator[NDArray[np.uint8]]:
        """Give the tiles of a level in the order of a TIFF file, filled up with zeros."""
        height, _, *_ = self.shapes[level]
        for top in range(0, height, TILE):
            rows = self.rows(level, top, TILE)
            padded = np.zeros((TILE, -(-rows.shape[1] // TILE) * TILE, *rows.shape[2:]), np.uint8)
            padded[: rows.shape[0], : rows.shape[1]] = rows
            for left in range(0, padded.shape[1], TILE):
                yield np.ascontiguousarray(padded[:, left : left + TILE])

    def rows(self, level: int, top: int, count: int) -> NDArray[np.uint8]:
        height, *row = self.shapes[level]
        count = min(count, height - top)
        length = int(np.prod(row))
        with self._paths[level].open('rb') as file:
            file.seek(top * length)
            data = np.frombuffer(file.read(count * length), np.uint8)
        return data.reshape(count, *row)


def write_pyramid(path: Path, rows: RowsFile, palette_rgb: NDArray[np.uint8] | None) -> None:
    """
    Write a tiled TIFF file with a pyramid; BigTIFF where it may be large.

    :param palette_rgb: uint8, (256, 3), colours of ids, or None where the rows are RGB
    :raises OutputError: it cannot be written
    """
    how: dict[str, Any] = {'photometric': 'rgb'}
    if palette_rgb is not None:
        how = {'photometric': 'palette', 'colormap': palette_rgb.T.astype(np.uint16) * 257}
    how |= {'tile': (TILE, TILE), 'compression': 'zlib', 'dtype': np.uint8, 'metadata': None}
    is_big = int(np.prod(rows.shapes[0])) > _BIG_BYTES
    smaller = len(rows.shapes) - 1
    try:
        with tifffile.TiffWriter(path, bigtiff=is_big) as file:
            file.write(rows.tiles(0), shape=rows.shapes[0], subifds=smaller, **how)
            for level in range(1, smaller + 1):
                file.write(rows.tiles(level), shape=rows.shapes[level], subfiletype=1, **how)
    except (OSError, ValueError) as error:
        raise OutputError(f'{path}: cannot be written ({error})') from error
