"""What a mask says about the ground, bearing by bearing."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.planning.costs import CostTable
from espnet_ros.planning.geometry.camera import check_size
from espnet_ros.planning.grid import UNKNOWN
from espnet_ros.planning.polar_grid import PolarGrid
import numpy as np
from numpy.typing import NDArray

NOWHERE = 255
"""The class id of places that no pixel looks at."""

_UPRIGHT_KIND = 127


@dataclass(frozen=True, eq=False)
class GroundScan:
    """
    A mask, along the bearings of a polar grid of shape (B, R).

    :param labels: uint8, class ids
    :param confidence: uint8, 0..255, or None where it is not known
    :param cost: int8, UNKNOWN where nothing is known, as it is behind what stands
    :param upright: bool, what stands on the ground or is hidden by it
    :param starts: int16, index of the nearest place of the same kind in one piece, so the
        near edge of what a place belongs to
    """

    polar: PolarGrid
    labels: NDArray[np.uint8]
    confidence: NDArray[np.uint8] | None
    cost: NDArray[np.int8]
    upright: NDArray[np.bool_]
    starts: NDArray[np.int16]


class GroundScanner:
    """
    Reads masks along the bearings of a polar grid.

    What stands on the ground is known where it touches the ground; the pixels above tell
    nothing about the ground that they hide. It counts as ``depth_m`` deep, and behind that
    the ground is unknown until flat ground is seen again.

    :param size: (height, width) of the masks
    :param depth_m: how deep what stands is at least
    :param bridged_px: an unlabelled gap of at most that many pixels takes the class behind it
    """

    def __init__(
        self,
        polar: PolarGrid,
        size: tuple[int, int],
        costs: CostTable,
        depth_m: float,
        bridged_px: int,
    ) -> None:
        self.polar = polar
        self._size = size
        self._costs = costs
        self._kinds = np.where(costs.upright, _UPRIGHT_KIND, costs.cost).astype(np.int8)
        self._bridged = 2 * bridged_px
        self._inside = polar.pixels < size[0] * size[1]
        reach = np.searchsorted(polar.ranges_m, polar.near_edges_m + depth_m, side='right')
        self._places = np.arange(polar.pixels.shape[1], dtype=np.int16)
        self._last_of = np.maximum(reach - 1, self._places).astype(np.int16)
        self._padded = np.full(size[0] * size[1] + 1, NOWHERE, np.uint8)

    def read(
        self, labels: NDArray[np.uint8], confidence: NDArray[np.uint8] | None = None
    ) -> GroundScan:
        """
        Read a mask.

        :param labels: uint8, (H, W), class ids
        :param confidence: uint8, (H, W), or None
        :raises InputError: a size is not that of the camera
        """
        confidence = None if confidence is None else self._gather(confidence, 'confidence')
        seen = self._gather(labels, 'mask')
        kinds = np.take(self._kinds, seen)
        self._bridge(seen, kinds)
        upright = kinds == _UPRIGHT_KIND
        starts = np.zeros(seen.shape, np.int16)
        np.multiply(self._places[1:], kinds[:, 1:] != kinds[:, :-1], out=starts[:, 1:])
        np.maximum.accumulate(starts, axis=1, out=starts)
        cost = np.take(self._costs.cost, seen)
        cost[upright & (self._places > np.take(self._last_of, starts))] = UNKNOWN
        return GroundScan(self.polar, seen, confidence, cost, upright, starts)

    def _gather(self, values: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
        check_size(values, self._size, name)
        self._padded[:-1].reshape(self._size)[:] = values
        return np.take(self._padded, self.polar.pixels)

    def _bridge(self, labels: NDArray[np.uint8], kinds: NDArray[np.int8]) -> None:
        """Give small gaps the class behind them, which is the nearer place for what stands."""
        gaps = (kinds == UNKNOWN) & self._inside
        rows = np.flatnonzero(gaps.any(axis=1))
        if not rows.size or not self._bridged:
            return
        known = kinds[rows] != UNKNOWN
        length = len(self._places)
        before = np.where(known, self._places, np.int16(-1))
        np.maximum.accumulate(before, axis=1, out=before)
        behind = np.where(known, self._places, np.int16(length))[:, ::-1]
        behind = np.minimum.accumulate(behind, axis=1)[:, ::-1]
        small = ~known & (before >= 0) & (behind < length)
        small &= behind - before - 1 <= self._bridged
        at, place = np.nonzero(small)
        source = behind[at, place]
        labels[rows[at], place] = labels[rows[at], source]
        kinds[rows[at], place] = kinds[rows[at], source]
