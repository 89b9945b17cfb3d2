"""How far a robot of some width can go straight ahead, by the ranges around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def free_ahead_m(
    ranges_m: NDArray[np.floating],
    bearings_rad: NDArray[np.floating],
    farthest_m: float,
    half_width_m: float,
) -> float | None:
    """
    Return how far the corridor ahead is free.

    :param ranges_m: (N,), metres; inf free to the end, NaN not seen, as in a LaserScan
    :param bearings_rad: (N,), counterclockwise from ahead
    :param farthest_m: how far the ranges go
    :param half_width_m: of the corridor
    :return: metres to the first range that ends in the corridor, ``farthest_m`` where none does;
        None where nothing is seen straight ahead
    """
    ahead = int(np.argmin(np.abs(bearings_rad)))
    if np.isnan(ranges_m[ahead]):
        return None
    hits = np.isfinite(ranges_m) & (np.abs(bearings_rad) < np.pi / 2)
    x_m = ranges_m[hits] * np.cos(bearings_rad[hits])
    y_m = ranges_m[hits] * np.sin(bearings_rad[hits])
    inside = x_m[np.abs(y_m) <= half_width_m]
    return float(min(inside.min(initial=farthest_m), farthest_m))
