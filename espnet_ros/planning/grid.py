"""Maps and sweeps of the ground in the robot's frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
import math

from espnet_ros.exceptions import ConfigError
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

UNKNOWN = -1
"""The cost of what was not seen, as in nav_msgs/OccupancyGrid."""

_MAX_CELLS = 4_000_000
_MAX_CELLS_AWAY = 4000


@dataclass(frozen=True)
class GridShape:
    """
    A map of square cells; row 0 is at the lowest y, column 0 at the lowest x.

    :param resolution_m: edge of a cell
    :param x_m: (from, to), ahead
    :param y_m: (from, to), to the left
    :raises ConfigError: it has no cells, or too many
    """

    resolution_m: float
    x_m: tuple[float, float]
    y_m: tuple[float, float]

    def __post_init__(self) -> None:
        if self.resolution_m <= 0 or min(self.shape) < 1 or np.prod(self.shape) > _MAX_CELLS:
            raise ConfigError(
                f'grid: expected 1 to {_MAX_CELLS} cells, found {self.resolution_m:g} m over '
                f'x {self.x_m[0]:g} to {self.x_m[1]:g} and y {self.y_m[0]:g} to {self.y_m[1]:g} m'
            )
        most_m = _MAX_CELLS_AWAY * self.resolution_m
        if self.reach_m > most_m:
            raise ConfigError(
                f'grid: expected corners at most {most_m:g} m away from the origin for cells of '
                f'{self.resolution_m:g} m, found {self.reach_m:.0f} m'
            )

    @cached_property
    def reach_m(self) -> float:
        """Return how far away from the origin the farthest corner is."""
        return math.hypot(*(max(map(abs, ends)) for ends in (self.x_m, self.y_m)))

    @property
    def shape(self) -> tuple[int, int]:
        """Return (rows along y, columns along x)."""
        rows, columns = (
            round((end - start) / self.resolution_m) for start, end in (self.y_m, self.x_m)
        )
        return rows, columns

    @cached_property
    def centers(self) -> Array:
        """Return (rows, columns, 2), x and y of each cell's middle."""
        rows, columns = self.shape
        x = self.x_m[0] + (np.arange(columns) + 0.5) * self.resolution_m
        y = self.y_m[0] + (np.arange(rows) + 0.5) * self.resolution_m
        return np.stack(np.meshgrid(x, y), axis=-1)

    def cells(self, points: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """
        Return (rows, columns) of the cells in which points lie, also outside the map.

        :param points: (..., 2), x and y
        """
        origin = (self.x_m[0], self.y_m[0])
        columns, rows = np.moveaxis(np.floor((points - origin) / self.resolution_m), -1, 0)
        return rows.astype(np.intp), columns.astype(np.intp)


@dataclass(frozen=True)
class SweepShape:
    """
    Bearings and ranges around the robot's origin, as a 2D lidar has.

    :param angle_rad: (from, to), counterclockwise from ahead
    :param increment_rad: between bearings
    :param range_m: (from, to)
    :param step_m: between the places looked at along a bearing
    :raises ConfigError: it has no bearings or no ranges
    """

    angle_rad: tuple[float, float]
    increment_rad: float
    range_m: tuple[float, float]
    step_m: float

    def __post_init__(self) -> None:
        (first, last), (near, far) = self.angle_rad, self.range_m
        if not (first < last <= first + 2 * np.pi + 1e-6 and 0 <= near < far):
            raise ConfigError(
                'scan: expected rising angles of at most a full turn and rising ranges, found '
                f'{first:g} to {last:g} rad and {near:g} to {far:g} m'
            )
        if min(self.increment_rad, self.step_m) <= 0 or (
            len(self.bearings_rad) * len(self.ranges_m) > _MAX_CELLS
        ):
            raise ConfigError(
                f'scan: expected increments above 0 that give at most {_MAX_CELLS} places, '
                f'found {self.increment_rad:g} rad and {self.step_m:g} m'
            )

    @cached_property
    def bearings_rad(self) -> Array:
        first, last = self.angle_rad
        count = int((last - first) / self.increment_rad + 1e-6) + 1
        return np.asarray(first + self.increment_rad * np.arange(count), np.float64)

    @cached_property
    def ranges_m(self) -> Array:
        """Return the ranges looked at, shape (S,)."""
        near, far = self.range_m
        return np.arange(near + self.step_m / 2, far, self.step_m)

    @cached_property
    def directions(self) -> Array:
        """Return (A, 2), unit vectors."""
        return np.stack([np.cos(self.bearings_rad), np.sin(self.bearings_rad)], axis=-1)

    @cached_property
    def places(self) -> Array:
        """Return (A, S, 2), x and y of every place."""
        return self.directions[:, None] * self.ranges_m[None, :, None]
