"""Ranges and the drivable area's outline, from one or several cameras."""

from __future__ import annotations

from collections.abc import Sequence

from espnet_ros.planning.grid import SweepShape, UNKNOWN
from espnet_ros.planning.ground_scan import GroundScan
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Sweep:
    """
    What cameras saw along the bearings of a sweep, A bearings of S places each.

    :param scans: what each camera saw
    :param indices: for each camera int32, (A, S), its polar grid's place for each of the sweep
    """

    def __init__(
        self,
        shape: SweepShape,
        scans: Sequence[GroundScan],
        indices: Sequence[NDArray[np.int32]],
    ) -> None:
        self.shape = shape
        self._scans = scans
        self._indices = indices
        self._costs = [
            sample(scan.cost, index) for scan, index in zip(scans, indices, strict=True)
        ]
        self.cost = merge_costs(self._costs)

    def ranges(self, blocking_cost: int) -> Array:
        """
        Return how far it is to the first place that blocks.

        :param blocking_cost: lowest cost that blocks
        :return: (A,), metres; inf where all is free to the end; NaN where nothing is seen, or
            something in between is not
        """
        blocked = self.cost >= blocking_cost
        first = _first(blocked)
        ranges = np.where(first < len(self.shape.ranges_m), np.nan, np.inf)
        begin = _first(self.cost != UNKNOWN)
        unseen = _first((self.cost == UNKNOWN) & (np.arange(blocked.shape[1]) > begin[:, None]))
        ranges[(begin == blocked.shape[1]) | (unseen < first)] = np.nan
        hits = np.flatnonzero((first < blocked.shape[1]) & (unseen >= first))
        ranges[hits] = self._edge_ranges(hits, first[hits], blocking_cost)
        return ranges

    def outline(self, drivable_cost: int) -> Array:
        """
        Return the outline of what can be driven over, as far as it is seen in one piece.

        :param drivable_cost: highest cost of what counts as drivable
        :return: (N, 2), corners counterclockwise, x and y; no rows where nothing is drivable
        """
        length = self.cost.shape[1]
        begin = _first(self.cost != UNKNOWN)
        drivable = (self.cost >= 0) & (self.cost <= drivable_cost)
        after = np.arange(length) >= begin[:, None]
        end = _first(after & ~drivable)
        rows = np.flatnonzero(end > begin)
        if rows.size < 2:
            return np.empty((0, 2))
        near = self.shape.ranges_m[begin[rows]] - self.shape.step_m / 2
        far = np.full(rows.size, self.shape.range_m[1])
        cut = end[rows] < length
        stop = end[rows[cut]]
        edges = self._edge_ranges(rows[cut], stop, drivable_cost + 1)
        unknown = self.shape.ranges_m[stop] - self.shape.step_m / 2
        far[cut] = np.fmax(np.where(np.isnan(edges), unknown, edges), near[cut])
        directions = self.shape.directions[rows]
        outer, inner = directions * far[:, None], directions * near[:, None]
        return np.concatenate([outer, inner[::-1]])

    def _edge_ranges(
        self, bearings: NDArray[np.intp], places: NDArray[np.intp], least_cost: int
    ) -> Array:
        """Return the metres to the near edge of what lies at places, by the nearest camera."""
        best = np.full(bearings.size, np.nan)
        for scan, index, cost in zip(self._scans, self._indices, self._costs, strict=True):
            found = np.flatnonzero(cost[bearings, places] >= least_cost)
            polar = scan.polar
            row, column = np.divmod(index[bearings[found], places[found]], polar.pixels.shape[1])
            start = scan.starts[row, column]
            edge = polar.directions[row] * polar.near_edges_m[start][:, None] + polar.foot_m
            along = (edge * self.shape.directions[bearings[found]]).sum(axis=1)
            best[found] = np.fmin(best[found], np.maximum(along, self.shape.range_m[0]))
        return best


def sample(values: NDArray[np.int8], index: NDArray[np.int32]) -> NDArray[np.int8]:
    """
    Return the costs of a polar grid at other places.

    :param values: int8, (B, R)
    :param index: of :meth:`PolarGrid.index_of`
    :return: int8, of the index' shape; UNKNOWN outside the grid
    """
    return np.take(np.append(values.ravel(), np.int8(UNKNOWN)), index)


def merge_costs(costs: Sequence[NDArray[np.int8]]) -> NDArray[np.int8]:
    """Return the highest cost that any camera saw; the unknown is the lowest."""
    merged = costs[0].copy()
    for other in costs[1:]:
        np.maximum(merged, other, out=merged)
    return merged


def _first(values: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the index of the first True of each row; the row's length where there is none."""
    first = values.argmax(axis=1)
    found = values[np.arange(len(values)), first]
    return np.asarray(np.where(found, first, values.shape[1]), np.intp)
