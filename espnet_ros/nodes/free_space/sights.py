"""What each camera saw last, as long as it counts as current."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
import time

from espnet_ros.nodes.free_space.outputs import Origin
from espnet_ros.nodes.free_space.synchronization.ages import Ages
from espnet_ros.nodes.ros.messages.stamps import NS_PER_S
from espnet_ros.planning.observer import Observation
import numpy as np
from numpy.typing import NDArray
from std_msgs.msg import Header


@dataclass(frozen=True, eq=False)
class Sight:
    """
    What one mask says.

    :param received_s: when the mask came, by time.monotonic
    :param has_age: whether its stamp tells how old it is
    :param seen_s: when it was processed, by time.monotonic
    """

    camera: str
    header: Header
    stamp_ns: int
    received_s: float
    has_age: bool
    seen: Observation
    seen_s: float = field(default_factory=time.monotonic)

    @property
    def origin(self) -> Origin:
        return Origin(self.header.stamp, self.received_s, self.has_age)

    @cached_property
    def cost(self) -> NDArray[np.int8]:
        """Return the map, int8 of the grid's (rows, columns)."""
        return self.seen.view.grid_cost(self.seen.scan)

    @cached_property
    def confidence(self) -> NDArray[np.float32] | None:
        """Return how sure the map is, 0..1; None where that is not known."""
        return self.seen.view.grid_confidence(self.seen.scan)


class Sights:
    """Keeps the newest sight of each camera."""

    def __init__(self, ages: Ages) -> None:
        self._ages = ages
        self._newest: dict[str, Sight] = {}

    def add(self, sight: Sight) -> None:
        self._newest[sight.camera] = sight

    def forget(self, camera: str) -> None:
        """Forget what a camera saw, as its masks cannot be used now."""
        self._newest.pop(camera, None)

    def clear(self) -> None:
        self._newest.clear()

    def around(self, sight: Sight) -> list[Sight]:
        """Return that sight, and those of the other cameras that count beside it."""
        now_s = time.monotonic()
        patience_ns = self._ages.patience_s * NS_PER_S
        # A simulation may be slow: by the wall clock, a sight may be somewhat older.
        wait_s = max(self._ages.patience_s, self._ages.silence_s)
        return [
            other
            for other in self._newest.values()
            if other is sight
            or (
                abs(sight.stamp_ns - other.stamp_ns) <= patience_ns
                and now_s - other.seen_s <= wait_s
            )
        ]
