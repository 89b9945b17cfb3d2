"""What driving over the classes of a label set costs, as tables by class id."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.exceptions import ConfigError
from espnet_ros.labels import LabelSet, UNLABELLED_ID
from espnet_ros.planning.grid import UNKNOWN
import numpy as np
from numpy.typing import NDArray

LETHAL = 100
"""The cost of what must never be driven over, as in nav_msgs/OccupancyGrid."""


@dataclass(frozen=True, eq=False)
class CostTable:
    """
    Costs by class id.

    :param cost: int8, (256,), 0..100, or UNKNOWN for ids that say nothing about the ground
    :param upright: bool, (256,), what stands on the ground and hides what is behind
    :param sky: bool, (256,), what ends at the horizon: the class called ``sky``
    """

    cost: NDArray[np.int8]
    upright: NDArray[np.bool_]
    sky: NDArray[np.bool_]


def make_cost_table(label_set: LabelSet, unlabelled_id: int = UNLABELLED_ID) -> CostTable:
    """
    Return the costs of a label set; void, unlabelled and ids without a class are unknown.

    :param unlabelled_id: value of pixels without a label, which may be that of a class
    :raises ConfigError: no class can be driven over
    """
    cost = np.full(256, UNKNOWN, np.int8)
    upright, sky = (np.zeros(256, np.bool_) for _ in range(2))
    for index, entry in enumerate(label_set.classes):
        if index in (label_set.void_id, unlabelled_id):
            continue
        sky[index] = entry.name == 'sky'
        if entry.cost is not None:
            cost[index] = entry.cost
            upright[index] = not entry.is_flat
    if not ((cost >= 0) & (cost < LETHAL)).any():
        raise ConfigError(
            f'label set {label_set.name!r}: expected a class with a cost of 0 to 99, found none; '
            'give its classes costs, as in espnet_ros/labelsets/cityscapes.yaml'
        )
    return CostTable(cost, upright, sky)
