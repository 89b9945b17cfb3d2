"""A map that remembers: what several observations of a place say together, for a while."""

from __future__ import annotations

from dataclasses import dataclass
import math

from espnet_ros.planning.costs import LETHAL
from espnet_ros.planning.grid import GridShape, UNKNOWN
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_FADED = 1e-3


@dataclass(frozen=True)
class CostmapRules:
    """
    How observations add up.

    :param decay_s: time after which an observation counts 1/e of what it did
    :param blocked_log_odds: what one sure observation of an obstacle adds
    :param free_log_odds: what one sure observation of free ground takes away
    :param limit: most that observations add up to, so that the map can change its mind
    :param least: below this the cell is unknown again
    """

    decay_s: float = 2.0
    blocked_log_odds: float = 0.85
    free_log_odds: float = 0.6
    limit: float = 3.0
    least: float = 0.2


class RollingCostmap:
    """
    A map that stays where it is while the robot drives through it.

    Cells lie on a raster of the odometry frame; the map covers the surroundings of the robot
    and drops what it leaves behind. Each cell keeps the log-odds of being blocked and the
    cost of the flat ground seen there last. The log-odds fade with time, so a place not seen
    for long is unknown and never remembered as free.

    :param shape: of the maps that come in and go out, in the robot's frame
    """

    def __init__(self, shape: GridShape, rules: CostmapRules) -> None:
        self._shape = shape
        self._rules = rules
        self._half = math.ceil(shape.reach_m / shape.resolution_m) + 1
        side = 2 * self._half + 1
        self._log_odds = np.zeros((side, side), np.float32)
        self._cost = np.zeros((side, side), np.float32)
        self._middle = np.zeros(2, np.intp)
        self._time_s: float | None = None

    def update(
        self,
        cost: NDArray[np.int8],
        odometry: Array,
        time_s: float,
        confidence: NDArray[np.float32] | None = None,
    ) -> None:
        """
        Add an observation.

        :param cost: int8, of the shape's (rows, columns), robot's frame
        :param odometry: (4, 4), from the robot's frame to the odometry frame
        :param time_s: when it was seen; a time before the last one clears the map
        :param confidence: float32, of the same shape, 0..1; None is 1
        """
        self._pass_time(time_s)
        self._move(odometry)
        at, source = self._overlap(np.asarray(np.linalg.inv(_planar(odometry)), np.float64))
        seen = cost.ravel()[source]
        known = seen != UNKNOWN
        at, source, seen = at[known], source[known], seen[known]
        rules = self._rules
        blocked = seen >= LETHAL
        step = np.where(blocked, rules.blocked_log_odds, -rules.free_log_odds)
        if confidence is not None:
            step *= confidence.ravel()[source]
        log_odds, costs = self._log_odds.ravel(), self._cost.ravel()
        fresh = log_odds[at] > -rules.least  # else flat ground was seen there, which has a cost
        log_odds[at] = np.clip(log_odds[at] + step, -rules.limit, rules.limit)
        kept = np.where(fresh, seen, 0.5 * (costs[at] + seen))
        costs[at] = np.where(blocked, costs[at], kept)

    def cost(self, odometry: Array) -> NDArray[np.int8]:
        """
        Return the map as the robot sees it from a place.

        :param odometry: (4, 4), from the robot's frame to the odometry frame
        :return: int8, (rows, columns) of the shape
        """
        self._move(odometry)
        resolution = self._shape.resolution_m
        x, y = self._shape.centers[0, :, 0], self._shape.centers[:, 0, 1]
        # Relative to the robot, or cells far from the odometry's origin would be too coarse.
        offset = odometry[:2, 3] / resolution - self._middle + self._half
        turn = odometry[:2, :2] / resolution
        columns, rows = (
            (turn[i, 0] * x + offset[i]).astype(np.float32)[None, :]
            + (turn[i, 1] * y).astype(np.float32)[:, None]
            for i in (0, 1)
        )
        # The memory reaches as far as the map at any heading, so every cell lies in it.
        at = rows.astype(np.int32) * np.int32(len(self._cost)) + columns.astype(np.int32)
        log_odds = np.take(self._log_odds, at)
        flat = np.minimum(np.take(self._cost, at), LETHAL - 1)
        cost = np.where(log_odds > 0, np.int8(LETHAL), np.rint(flat).astype(np.int8))
        cost[np.abs(log_odds) < self._rules.least] = UNKNOWN
        return np.asarray(cost, np.int8)

    def _pass_time(self, time_s: float) -> None:
        if self._time_s is not None and time_s < self._time_s:
            # A camera that is a little late is no jump of the clock.
            if self._time_s - time_s < 1.0:
                return
            self._log_odds[:] = 0
            self._time_s = None
        if self._time_s is not None:
            self._log_odds *= math.exp((self._time_s - time_s) / self._rules.decay_s)
            # Denormal numbers, which fading ends in, are a hundred times slower.
            self._log_odds[np.abs(self._log_odds) < _FADED] = 0
        self._time_s = time_s

    def _move(self, odometry: Array) -> None:
        """Keep the robot in the middle; what enters is unknown."""
        middle = np.floor(odometry[:2, 3] / self._shape.resolution_m).astype(np.intp)
        shift = self._middle - middle
        self._middle = middle
        if not shift.any():
            return
        side = len(self._cost)
        if (np.abs(shift) >= side).any():
            self._log_odds[:] = 0
            return
        # Axis 0 is y and axis 1 is x.
        dx, dy = (int(value) for value in shift)
        for values in (self._log_odds, self._cost):
            values[:] = np.roll(values, (dy, dx), axis=(0, 1))
            values[: max(dy, 0)] = 0
            values[side + min(dy, 0) :] = 0
            values[:, : max(dx, 0)] = 0
            values[:, side + min(dx, 0) :] = 0

    def _overlap(self, to_robot: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return flat indices: of the remembered cells, and of those observed over them."""
        resolution, (height, width) = self._shape.resolution_m, self._shape.shape
        shift = to_robot[:2, :2] @ (self._middle * resolution) + to_robot[:2, 3]
        (column_x, column_y), (row_x, row_y) = to_robot[:2, :2].astype(np.float32)
        column_0, row_0 = (shift - (self._shape.x_m[0], self._shape.y_m[0])) / resolution
        first, last = self._span(to_robot)
        x, y = (np.arange(first[i], last[i], dtype=np.float32) - self._half + 0.5 for i in (0, 1))
        columns = (column_x * x + np.float32(column_0))[None, :] + (column_y * y)[:, None]
        rows = (row_x * x + np.float32(row_0))[None, :] + (row_y * y)[:, None]
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        row, column = np.nonzero(inside)
        at = (row + first[1]) * len(self._cost) + column + first[0]
        source = rows[inside].astype(np.intp) * width + columns[inside].astype(np.intp)
        return at, source

    def _span(self, to_robot: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the first and the last (column, row) that an observation can touch."""
        corners = np.array([(x, y, 0.0, 1.0) for x in self._shape.x_m for y in self._shape.y_m])
        places = corners @ np.linalg.inv(to_robot)[:2].T / self._shape.resolution_m
        cells = places - self._middle + self._half
        side = len(self._cost)
        first = np.clip(np.floor(cells.min(axis=0)), 0, side).astype(np.intp)
        return first, np.clip(np.ceil(cells.max(axis=0)) + 1, 0, side).astype(np.intp)


def _planar(odometry: Array) -> Array:
    """
    Return where points of the ground lie seen from above, as :meth:`RollingCostmap.cost` has it.

    A height over the odometry's origin moves nothing, however the robot leans.
    """
    planar = np.eye(4)
    planar[:2, :2], planar[:2, 3] = odometry[:2, :2], odometry[:2, 3]
    return planar
