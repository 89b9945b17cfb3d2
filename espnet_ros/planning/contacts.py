"""Where what stands touches the ground."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.planning.grid import UNKNOWN
from espnet_ros.planning.ground_scan import GroundScan
import numpy as np
from numpy.typing import NDArray

_PLACES = 6


@dataclass(frozen=True, eq=False)
class Contacts:
    """
    Points at which obstacles touch the ground, one for each bearing that sees them do so.

    :param points_m: float32, (N, 2), x and y in the robot's frame
    :param class_ids: uint8, (N,)
    :param confidence: float32, (N,), 0..1; NaN where it is not known
    """

    points_m: NDArray[np.float32]
    class_ids: NDArray[np.uint8]
    confidence: NDArray[np.float32]


def find_contacts(scan: GroundScan) -> Contacts:
    """
    Return where upright classes begin right behind ground that is seen.

    What enters the image at its lower edge has no contact: it is not seen where.
    """
    flat = (scan.cost != UNKNOWN) & ~scan.upright
    rows, columns = np.nonzero(scan.upright[:, 1:] & flat[:, :-1])
    columns += 1
    polar = scan.polar
    points = polar.directions[rows] * polar.near_edges_m[columns][:, None] + polar.foot_m
    # Masks are least sure at the edges of things: look a little above.
    places = np.minimum(columns[:, None] + np.arange(_PLACES), scan.labels.shape[1] - 1)
    same = scan.labels[rows[:, None], places] == scan.labels[rows, columns][:, None]
    confidence = np.full(rows.size, np.nan, np.float32)
    if scan.confidence is not None:
        weights = scan.confidence[rows[:, None], places] * same
        confidence = (weights.sum(axis=1) / same.sum(axis=1) / 255).astype(np.float32)
    return Contacts(points.astype(np.float32), scan.labels[rows, columns], confidence)


def join_contacts(parts: list[Contacts]) -> Contacts:
    return Contacts(
        np.concatenate([part.points_m for part in parts]),
        np.concatenate([part.class_ids for part in parts]),
        np.concatenate([part.confidence for part in parts]),
    )
