"""
Masks of large pictures by overlapping tiles, whose scores are blended where they overlap.

Weights fall linearly to the borders of a tile and add up to one, so that no seam shows. What is
kept of a tile are the scores of its last columns and rows alone: the memory grows with the width
of the picture times the overlap, not with its area.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]
Read = Callable[[int, int, int, int], NDArray[np.uint8]]
Score = Callable[[NDArray[np.uint8]], Scores]


@dataclass(frozen=True)
class Tiling:
    """
    Where the tiles of a picture lie.

    :param size: (height, width) of the picture
    :param tile: height and width of a tile
    :param overlap: rows and columns that two neighbours share; at most half a tile
    """

    size: tuple[int, int]
    tile: int
    overlap: int

    @property
    def counts(self) -> tuple[int, int]:
        """Return the tiles down and across."""
        step = self.tile - self.overlap
        down, across = (max(1, -(-(length - self.overlap) // step)) for length in self.size)
        return down, across

    def weights(self, index: int, count: int) -> Scores:
        """Return the weights of a tile along one axis, float32, (tile,)."""
        weights = np.ones(self.tile, np.float32)
        if self.overlap:
            ramp = ((np.arange(self.overlap) + 0.5) / self.overlap).astype(np.float32)
            if index > 0:
                weights[: self.overlap] = ramp
            if index < count - 1:
                weights[-self.overlap :] = ramp[::-1]
        return weights


def blended_bands(
    tiling: Tiling,
    read: Read,
    score: Score,
    decide: Callable[[Scores], NDArray[np.uint8]],
    rows: range | None = None,
) -> Iterator[NDArray[np.uint8]]:
    """
    Give the mask from top to bottom, in bands of full width.

    :param read: gives a part of the picture by top, left, height and width
    :param score: gives float32, (classes, tile, tile), of a tile
    :param decide: makes labels, uint8, (H, W), of blended scores
    :param rows: of tiles, whose bands are given; None for all. The row above them is scored too,
        for what it has of the first one
    """
    step, overlap = tiling.tile - tiling.overlap, tiling.overlap
    down, _ = tiling.counts
    rows = range(down) if rows is None else rows
    above: Scores | None = None
    for row in range(max(rows.start - bool(overlap), 0), rows.stop):
        is_last = row == down - 1
        height = tiling.size[0] - row * step if is_last else step
        band = np.empty((height, tiling.size[1]), np.uint8)
        below: Scores | None = None
        for place, scores in _row_of_tiles(tiling, read, score, row):
            if above is not None:
                scores[:, :overlap] += above[:, :, place]
            if row in rows:
                band[:, place] = decide(scores[:, :height])
            if not is_last and overlap:
                if below is None:
                    below = np.empty((len(scores), overlap, tiling.size[1]), np.float32)
                below[:, :, place] = scores[:, step:]
        above = below
        if row in rows:
            yield band


def _row_of_tiles(
    tiling: Tiling, read: Read, score: Score, row: int
) -> Iterator[tuple[slice, Scores]]:
    """Give the weighted scores of a row of tiles, blended sideways, each with its columns."""
    step, overlap = tiling.tile - tiling.overlap, tiling.overlap
    down, across = tiling.counts
    weights_y = tiling.weights(row, down)[:, None]
    side: Scores | None = None
    for column in range(across):
        tile_bgr = read(row * step, column * step, tiling.tile, tiling.tile)
        scores = score(tile_bgr) * (weights_y * tiling.weights(column, across))
        if side is not None:
            scores[:, :, :overlap] += side
        is_end = column == across - 1
        side = None if is_end else scores[:, :, step:].copy()
        place = slice(column * step, tiling.size[1] if is_end else (column + 1) * step)
        yield place, scores[:, :, : place.stop - place.start]
