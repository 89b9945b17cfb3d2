"""The masks of one camera, from their arrival to what they say about the ground."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
import time

from espnet_ros.config import FreeSpaceSettings
from espnet_ros.exceptions import InputError
from espnet_ros.monitoring.health import describe_stamp_fault, NO_CLOCK
from espnet_ros.nodes.free_space.poses import PoseSource
from espnet_ros.nodes.free_space.sights import Sight
from espnet_ros.nodes.free_space.synchronization.ages import Ages
from espnet_ros.nodes.free_space.synchronization.camera_input import CameraInput
from espnet_ros.nodes.free_space.synchronization.mask_parts import (
    MaskParts,
    PartFinder,
    StampedMask,
)
from espnet_ros.nodes.free_space.synchronization.meaning import Meaning
from espnet_ros.nodes.free_space.synchronization.stamp_queue import (
    PendingError,
    StampQueue,
    Waiting,
)
from espnet_ros.nodes.ros.messages.stamps import NS_PER_S, stamp_ns
from espnet_ros.planning.grid import GridShape, SweepShape
from espnet_ros.planning.observer import GroundObserver
from espnet_ros.planning.view import ViewRules
from sensor_msgs.msg import Image

DROP_KINDS = ('age', 'late', 'labels', 'mask', 'calibration', 'confidence', 'pose')
_LATE_IN_A_ROW = 3
_BACKLOG_SHARE = 0.5


class CameraStream:
    """
    Processes the masks of one camera, in the order of their stamps.

    A mask waits for what belongs to it without holding up newer ones; once a newer one was
    processed, it is dropped. So is one that could have been processed for a while, where a newer
    one can be, too.

    :param tell: is called with the reason of every mask that is dropped for one
    """

    def __init__(
        self,
        source: CameraInput,
        poses: PoseSource,
        ages: Ages,
        settings: Callable[[], FreeSpaceSettings],
        tell: Callable[[str], None],
    ) -> None:
        self.source = source
        self.drops: Counter[str] = Counter()
        self.meaning: Meaning | None = None
        self.observer: GroundObserver | None = None
        self._finder = PartFinder(source, poses, settings)
        self._ages = ages
        self._settings = settings
        self._tell = tell
        self._queue: StampQueue[StampedMask] = StampQueue()
        self._last_ns: int | None = None
        self._late = 0

    @property
    def is_waiting(self) -> bool:
        return len(self._queue) > 0

    def take(self, mask: Image) -> bool:
        """
        Take a mask that came.

        :return: whether it shows that time went back, so that what was seen before is over
        """
        now_s, mask_ns = time.monotonic(), stamp_ns(mask.header.stamp)
        has_age = self._record(now_s, mask_ns, mask)
        behind_s = 0.0 if self._last_ns is None else (self._last_ns - mask_ns) / NS_PER_S
        # What is too old by the clock, too, is late, and no sign that time went back.
        is_old = self._ages.is_over(mask_ns, waited_s=0.0)
        self._late = self._late + 1 if behind_s > 0 and not is_old else 0
        went_back = not is_old and (
            behind_s > self._ages.patience_s or self._late >= _LATE_IN_A_ROW
        )
        if behind_s > 0 and not went_back:
            self.drops['late'] += 1
            return False
        if went_back:
            self.restart()
        pushed_out = self._queue.add(mask_ns, StampedMask(mask, has_age), now_s)
        if pushed_out is not None:
            self._drop(pushed_out.kind or 'age', f'too many masks wait; {pushed_out.reason}')
        return went_back

    def _record(self, now_s: float, mask_ns: int, mask: Image) -> bool:
        """Return whether the stamp of a mask that came tells how old it is."""
        record = self.source.record
        record.received(now_s, f'{mask.encoding} {mask.width}x{mask.height}', replaced=False)
        is_stamped = record.stamped(now_s, mask_ns)
        age_s = self._ages.age_s(mask_ns)
        return age_s is not None and record.compared(now_s, -age_s) and is_stamped

    def restart(self) -> None:
        """Forget what waits and what was processed: masks of any stamp may come."""
        self._queue.clear()
        self._last_ns = None
        self._late = 0

    def settings_changed(self, grid: GridShape, sweep: SweepShape) -> None:
        """Read the next mask by the rules of this moment."""
        self._shapes = grid, sweep
        self.observer = None

    def give_up(self, reason: str) -> None:
        """Drop all that waits, after a fault of the program."""
        self._queue.clear()
        self._drop('mask', reason)

    def sights(self) -> Iterator[Sight]:
        """Process what can be processed now, and return what each of the masks says."""
        ready: list[tuple[Waiting[StampedMask], MaskParts]] = []
        # The newest first: a transform that comes meanwhile serves the older ones too.
        for entry in reversed(tuple(self._queue)):
            parts = self._try(entry)
            if parts is not None:
                ready.append((entry, parts))
        for entry, parts in reversed(self._without_backlog(ready)):
            for older in self._queue.pop_before(entry.stamp_ns):
                self._drop(older.kind, older.reason)
            self._queue.remove(entry)
            self._last_ns = entry.stamp_ns
            self.source.infos.drop_before(entry.stamp_ns)
            self.source.confidences.drop_before(entry.stamp_ns)
            sight = self._observe(entry, parts)
            if sight is not None:
                yield sight

    def _without_backlog(
        self, ready: list[tuple[Waiting[StampedMask], MaskParts]]
    ) -> list[tuple[Waiting[StampedMask], MaskParts]]:
        """
        Drop those that this machine is too slow for, as the newest is worth more than all.

        :param ready: newest first
        """
        now_s, limit_s = time.monotonic(), _BACKLOG_SHARE * self._ages.patience_s
        kept: list[tuple[Waiting[StampedMask], MaskParts]] = []
        for entry, parts in ready:
            entry.ready_s = now_s if entry.ready_s is None else entry.ready_s
            if kept and now_s - entry.ready_s > limit_s:
                self._queue.remove(entry)
                self.drops['late'] += 1
            else:
                kept.append((entry, parts))
        return kept

    def _try(self, entry: Waiting[StampedMask]) -> MaskParts | None:
        """Return a mask with all that belongs to it; None where it waits or was dropped."""
        waited_s = time.monotonic() - entry.since_s
        fault = self._age_fault(entry, waited_s)
        if fault:
            self._queue.remove(entry)
            reason = f'{entry.reason} (waited {1e3 * waited_s:.0f} ms)'
            self._drop(*((entry.kind, reason) if entry.reason else ('age', fault)))
            return None
        try:
            return self._finder.find(entry)
        except PendingError as error:
            entry.reason = str(error)
        except InputError as error:
            self._queue.remove(entry)
            self._drop(entry.kind, str(error))
        return None

    def _age_fault(self, entry: Waiting[StampedMask], waited_s: float) -> str:
        if not self._ages.is_over(entry.stamp_ns, waited_s):
            return ''
        limit_ms = 1e3 * self._ages.patience_s
        age_s = self._ages.age_s(entry.stamp_ns)
        found = 'an unknown one' if age_s is None else f'{1e3 * age_s:.0f} ms'
        return (
            f'mask: expected an age of at most {limit_ms:g} ms (max_age_ms), found {found}; '
            f'{self._age_cause()}'
        )

    def _age_cause(self) -> str:
        """Return in words why masks are too old, or seem to be."""
        if not self._ages.now_ns():
            return NO_CLOCK
        stamps = self.source.record.snapshot(time.monotonic(), percentiles=False).stamps
        return describe_stamp_fault(stamps, self.source.topic('mask')) or (
            'the segmentation is too slow, or its clock differs from that of this node'
        )

    def _observe(self, entry: Waiting[StampedMask], parts: MaskParts) -> Sight | None:
        observer = self._observer_for(parts.meaning)
        try:
            seen = observer.observe(parts.camera, parts.pose, parts.labels, parts.confidence)
            observer.check_horizon(seen, self._settings().max_horizon_conflict)
        except InputError as error:
            self._drop('pose', str(error))
            return None
        mask = entry.item
        return Sight(
            self.source.name,
            mask.message.header,
            stamp_ns=entry.stamp_ns,
            received_s=entry.since_s,
            has_age=mask.has_age,
            seen=seen,
        )

    def _observer_for(self, meaning: Meaning) -> GroundObserver:
        """Return what reads masks of that meaning; a change of rules makes a new one."""
        if self.observer is None or self.meaning is not meaning:
            settings = self._settings()
            rules = ViewRules(
                *self._shapes, meaning.costs, settings.obstacle_depth_m, settings.bridged_gap_px
            )
            self.observer = GroundObserver(rules, correct_pitch=settings.correct_pitch)
            self.meaning = meaning
        return self.observer

    def _drop(self, kind: str, reason: str) -> None:
        self.drops[kind] += 1
        if kind == 'labels':
            self.meaning = self.observer = None
        self.source.record.failed(time.monotonic(), kind, reason)
        self._tell(reason)
