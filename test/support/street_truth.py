"""What the synthetic street really looks like around the car at the stamp of a message."""

from __future__ import annotations

from typing import Any

from espnet_ros.labels import LabelSet, load_label_set
from espnet_ros.sources.street import StreetSource
from espnet_ros.sources.street.scene import Box, StreetScene
from espnet_ros.sources.street.source import RATE_HZ
import numpy as np
from numpy.typing import ArrayLike, NDArray

STREET = StreetSource()
LABELS = load_label_set('camvid')
COSTS = np.array([-1 if c.cost is None else c.cost for c in LABELS.classes], np.int8)


class StreetTruth:
    """
    Finds the frame of the street that a true label image is of.

    The camera plays the frames in order, at the street's own rate.
    """

    def __init__(self) -> None:
        self._last: tuple[int, float] | None = None

    def index_of(self, labels: NDArray[np.uint8], stamp_s: float) -> int:
        """Return the index of the frame with these labels, uint8 (H, W)."""
        for index in self._likely(stamp_s):
            if np.array_equal(STREET.frame(index).labels, labels):
                self._last = index, stamp_s
                return index
        raise AssertionError('no frame of the street has these labels')

    def _likely(self, stamp_s: float) -> list[int]:
        """Return the indices by how likely they are."""
        if self._last is None:
            return list(range(500))
        index, before_s = self._last
        guess = index + round((stamp_s - before_s) * RATE_HZ)
        return sorted(range(index, index + 500), key=lambda other: abs(other - guess))


def labels_from_above(scene: StreetScene, x_m: ArrayLike, y_m: ArrayLike) -> NDArray[np.uint8]:
    """
    Return the class that stands at each point, else that of the ground there.

    :param x_m: metres ahead, any shape
    :param y_m: metres to the left, a shape that broadcasts with it
    """
    x, y = np.broadcast_arrays(np.asarray(x_m, float), np.asarray(y_m, float))
    labels = scene.ground_labels(x, y)
    for thing in scene.obstacles:
        dx, dy = x - thing.x_m, y - thing.y_m
        if isinstance(thing, Box):
            inside = (np.abs(dx) <= thing.length_m / 2) & (np.abs(dy) <= thing.width_m / 2)
        else:
            inside = dx**2 + dy**2 <= thing.radius_m**2
        labels[inside] = scene.label_set.id_of(thing.label)
    return labels


def true_classes(index: int, x_m: NDArray[np.floating], y_m: NDArray[np.floating]) -> Any:
    """Return the class ids of places in a frame, as seen from above."""
    return labels_from_above(STREET.scene(index), x_m, y_m)


def true_ranges_m(
    index: int, bearings_rad: NDArray[np.floating], farthest_m: float, step_m: float = 0.03
) -> NDArray[np.float64]:
    """Return the range to the first thing that blocks, by walking along each bearing."""
    ranges_m = np.arange(0.3, farthest_m, step_m)
    x_m = ranges_m * np.cos(bearings_rad)[:, None]
    y_m = ranges_m * np.sin(bearings_rad)[:, None]
    blocked = COSTS[true_classes(index, x_m, y_m)] >= 100
    first = blocked.argmax(axis=1)
    return np.where(blocked.any(axis=1), ranges_m[first], np.inf)


def cells_of(costmap: Any) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int8]]:
    """Return x and y in metres of the cells of an OccupancyGrid, and their costs."""
    info = costmap.info
    x_m = info.origin.position.x + info.resolution * (np.arange(info.width) + 0.5)
    y_m = info.origin.position.y + info.resolution * (np.arange(info.height) + 0.5)
    cost = np.array(costmap.data, np.int8).reshape(info.height, info.width)
    return x_m[None, :], y_m[:, None], cost


def by_class(label_set: LabelSet, classes: Any, values: Any) -> dict[str, NDArray[Any]]:
    """Return values apart by the names of their true classes."""
    return {
        name: values[classes == class_id]
        for class_id, name in enumerate(label_set.names)
        if (classes == class_id).any()
    }
