"""Rows of a mask in files, which several processes make and one joins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from espnet_ros.exceptions import OutputError
import numpy as np
from numpy.typing import NDArray

_ROWS = 256


def write_strip(folder: Path, first: int, bands: Iterable[NDArray[np.uint8]]) -> None:
    """
    Write rows of a mask; the file has its name when it is whole.

    :param folder: of all strips of a mask
    :param first: tells where the strip belongs; strips are joined in this order
    :param bands: uint8, (rows, width) each
    :raises OutputError: it cannot be written
    """
    path = folder / f'{first:06d}.raw'
    part = path.with_suffix('.part')
    try:
        with part.open('wb') as file:
            for band in bands:
                file.write(np.ascontiguousarray(band).tobytes())
        part.rename(path)
    except OSError as error:
        raise OutputError(f'{path}: cannot be written ({error.strerror})') from error


def read_strips(folder: Path, size: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    """
    Give the rows of a mask from top to bottom, in bands.

    :param size: (height, width) of the mask
    :raises OutputError: a strip cannot be read, or is not there
    """
    height, width = size
    found = 0
    try:
        for path in sorted(folder.glob('*.raw')):
            with path.open('rb') as file:
                while data := file.read(_ROWS * width):
                    yield np.frombuffer(data, np.uint8).reshape(-1, width)
                    found += len(data) // width
    except OSError as error:
        raise OutputError(f'{folder}: cannot be read ({error.strerror})') from error
    if found != height:
        raise OutputError(
            f'{folder}: expected {height} rows of jobs, found {found}; all nodes must see the '
            'results under the same path'
        )
