"""The map: with memory where there is odometry, else what is seen now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import time

from espnet_ros.config import FreeSpaceSettings
from espnet_ros.exceptions import InputError
from espnet_ros.nodes.free_space.messages import make_costmap
from espnet_ros.nodes.free_space.outputs import Origin, Output
from espnet_ros.nodes.free_space.poses import NoFrameError, PoseSource
from espnet_ros.nodes.free_space.sights import Sight
from espnet_ros.nodes.free_space.synchronization.ages import Ages
from espnet_ros.nodes.free_space.synchronization.stamp_queue import (
    PendingError,
    StampQueue,
    Waiting,
)
from espnet_ros.nodes.ros.messages.stamps import NS_PER_S
from espnet_ros.planning.grid import GridShape
from espnet_ros.planning.rolling_costmap import CostmapRules, RollingCostmap
from espnet_ros.planning.sweep import merge_costs
import numpy as np
from numpy.typing import NDArray
from std_msgs.msg import Header


@dataclass(frozen=True, eq=False)
class _Observed:
    """What a map with memory is made of; it holds no image."""

    cost: NDArray[np.int8]
    confidence: NDArray[np.float32] | None
    origin: Origin


class MapMaker:
    """
    Publishes the map.

    Where odometry was never there, it is a map of what is seen now. Once it was there, each
    map waits for the odometry of its stamp, and is dropped where that does not come: a map
    without memory among others that have one would move the robot.

    :ivar state: of the memory: ``off``, ``no odometry``, ``on``, or why maps are dropped
    """

    def __init__(
        self,
        output: Output,
        poses: PoseSource,
        ages: Ages,
        settings: Callable[[], FreeSpaceSettings],
    ) -> None:
        self._output = output
        self._poses = poses
        self._ages = ages
        self._settings = settings
        self._queue: StampQueue[_Observed] = StampQueue()
        self._has_odometry = False
        self.state = 'off'
        self.dropped = 0

    @property
    def is_waiting(self) -> bool:
        return len(self._queue) > 0

    def restart(self, shape: GridShape) -> None:
        """Forget what was seen before."""
        settings = self._settings()
        rules = CostmapRules(decay_s=settings.fusion.decay_s)
        self._shape = shape
        self._costmap = RollingCostmap(shape, rules)
        self._queue.clear()

    def add(self, sight: Sight, around: Sequence[Sight]) -> None:
        """
        Take what a camera saw.

        :param around: that and what the other cameras saw last
        """
        if not self._settings().fusion.enabled or not self._remembers(sight):
            cost = merge_costs([other.cost for other in around])
            self._publish(cost, _observed(sight))
            return
        pushed_out = self._queue.add(sight.stamp_ns, _observed(sight), time.monotonic())
        if pushed_out is not None:
            self._drop(f'too many maps wait; {pushed_out.reason}')
        self.advance()

    def advance(self) -> None:
        """Publish the maps whose odometry is there, and drop those that waited too long."""
        ready: list[tuple[Waiting[_Observed], NDArray[np.float64]]] = []
        # The newest first: odometry that comes meanwhile serves the older ones too.
        for entry in reversed(tuple(self._queue)):
            odometry = self._locate(entry)
            if odometry is not None:
                ready.append((entry, odometry))
        for entry, odometry in reversed(ready):
            for older in self._queue.pop_before(entry.stamp_ns):
                self._drop(older.reason)
            self._queue.remove(entry)
            observed = entry.item
            self._costmap.update(
                observed.cost, odometry, entry.stamp_ns / NS_PER_S, observed.confidence
            )
            self.state = 'on'
            self._publish(self._costmap.cost(odometry), observed)

    def _remembers(self, sight: Sight) -> bool:
        if not self._has_odometry:
            try:
                self._poses.odometry(sight.header.stamp)
            except NoFrameError:
                self.state = 'no odometry'
                return False
            except InputError:
                pass
            self._has_odometry = True
        return True

    def _locate(self, entry: Waiting[_Observed]) -> NDArray[np.float64] | None:
        waited_s = time.monotonic() - entry.since_s
        is_over = self._ages.is_over(entry.stamp_ns, waited_s)
        try:
            if not (is_over and entry.reason):
                return self._poses.odometry(entry.item.origin.stamp)
        except PendingError as error:
            entry.reason = str(error)
            if not is_over:
                return None
        except InputError as error:
            entry.reason = str(error)
        self._queue.remove(entry)
        self._drop(f'{entry.reason} (waited {1e3 * waited_s:.0f} ms)')
        return None

    def _publish(self, cost: NDArray[np.int8], observed: _Observed) -> None:
        settings = self._settings()
        if not settings.fusion.enabled:
            self.state = 'off'
        header = Header(stamp=observed.origin.stamp, frame_id=settings.base_frame)
        self._output.publish(
            lambda: make_costmap(cost, self._shape, settings.ground_z_m, header),
            observed.origin,
        )

    def _drop(self, reason: str) -> None:
        self.dropped += 1
        self.state = reason
        self._output.record.failed(time.monotonic(), 'output', reason)


def _observed(sight: Sight) -> _Observed:
    return _Observed(sight.cost, sight.confidence, sight.origin)
