"""A small planner to show what the map is good for; robots use Nav2's."""

from __future__ import annotations

import heapq
import math

from espnet_ros.planning.costs import LETHAL
from espnet_ros.planning.grid import GridShape, UNKNOWN
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Cell = tuple[int, int]

_STEPS = tuple(
    (row, column, math.hypot(row, column))
    for row in (-1, 0, 1)
    for column in (-1, 0, 1)
    if row or column
)


def inflate(cost: NDArray[np.int8], radius_cells: int) -> NDArray[np.int8]:
    """
    Return the map for a robot that is a point: obstacles grow by the robot's radius.

    :param cost: int8, (rows, columns)
    :param radius_cells: radius of the robot, cells
    """
    blocked = cost >= LETHAL
    grown = blocked.copy()
    rows, columns = cost.shape
    for row in range(-radius_cells, radius_cells + 1):
        half = math.isqrt(radius_cells**2 - row**2)
        # A run of cells along a row grows by two shifts of its running sum.
        sums = np.cumsum(np.pad(blocked, ((0, 0), (half + 1, half))), axis=1, dtype=np.int32)
        wide = sums[:, 2 * half + 1 :] > sums[:, :columns]
        low, high = max(row, 0), rows + min(row, 0)
        grown[low:high] |= wide[low - row : high - row]
    return np.where(grown, np.int8(LETHAL), cost)


def plan_path(
    cost: NDArray[np.int8], shape: GridShape, start_m: tuple[float, float], reach_m: float
) -> Array | None:
    """
    Return the cheapest way ahead: Dijkstra's search to the first cell at a distance ahead.

    A metre over ground of cost c counts 1 + c / 10; what is unknown or blocked is not
    entered. Of goals that are as far ahead the cheapest is reached first.

    :param cost: int8, (rows, columns), the map; see :func:`inflate`
    :param start_m: (x, y) where it starts; the nearest known cell ahead stands for it
    :param reach_m: how far ahead (x) the way shall go
    :return: (N, 2), x and y; shorter where the way ahead ends early; None where there is none
    """
    start = _nearest_free(cost, shape, start_m)
    if start is None:
        return None
    goal_column = min(int((reach_m - shape.x_m[0]) / shape.resolution_m), cost.shape[1] - 1)
    passable = _passable(cost)
    rows, columns = np.array(_search(cost, passable, start, goal_column)).T
    return _smooth(shape.centers[rows, columns], shape, passable)


def _search(
    cost: NDArray[np.int8], passable: NDArray[np.bool_], start: Cell, goal_column: int
) -> list[Cell]:
    """Return the cells from the start to the cheapest of the goal, or as far ahead as it goes."""
    price = 1.0 + np.maximum(cost, 0) / 10.0
    spent = {start: 0.0}
    came_from: dict[Cell, Cell] = {}
    queue = [(0.0, start)]
    best = start
    while queue:
        so_far, cell = heapq.heappop(queue)
        if so_far > spent[cell]:
            continue
        best = max(best, cell, key=lambda c: c[1])
        if cell[1] >= goal_column:
            break
        for row_step, column_step, length in _STEPS:
            near = (cell[0] + row_step, cell[1] + column_step)
            if not (0 <= near[0] < cost.shape[0] and 0 <= near[1] < cost.shape[1]):
                continue
            total = so_far + length * 0.5 * (price[cell] + price[near])
            if passable[near] and total < spent.get(near, math.inf):
                spent[near] = total
                came_from[near] = cell
                heapq.heappush(queue, (total, near))
    cells = [best]
    while cells[-1] in came_from:
        cells.append(came_from[cells[-1]])
    return cells[::-1]


def _passable(cost: NDArray[np.int8]) -> NDArray[np.bool_]:
    return np.asarray((cost != UNKNOWN) & (cost < LETHAL), np.bool_)


def _nearest_free(
    cost: NDArray[np.int8], shape: GridShape, start_m: tuple[float, float]
) -> Cell | None:
    """Return the free cell nearest to a place, cells beside it counting three times."""
    free = _passable(cost)
    if not free.any():
        return None
    x, y = np.moveaxis(shape.centers - start_m, -1, 0)
    distance = np.where(free, x * x + 9 * y * y, np.inf)
    row, column = np.unravel_index(int(distance.argmin()), cost.shape)
    return int(row), int(column)


def _smooth(points: Array, shape: GridShape, passable: NDArray[np.bool_]) -> Array:
    """Take the corners of the raster off, but not those of obstacles."""
    if len(points) < 3:
        return points
    width = min(11, len(points) // 2 * 2 - 1)
    padded = np.pad(points, ((width // 2, width // 2), (0, 0)), mode='edge')
    kernel = np.ones(width) / width
    smooth = np.column_stack([np.convolve(padded[:, i], kernel, 'valid') for i in (0, 1)])
    smooth[0] = points[0]
    keeps_clear = passable[shape.cells(smooth)]
    return np.where(keeps_clear[:, None], smooth, points)
