"""What became of one camera's frames: counts, rates, stage times, failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import math
import threading

from espnet_ros.monitoring.rates import RateMeter
from espnet_ros.monitoring.stage_clock import StageClock
from espnet_ros.monitoring.stamp_record import StampRecord, StampSnapshot

STAGES = ('convert', 'prepare', 'inference', 'finish', 'publish', 'latency', 'age')
RECENT_S = 2.0


@dataclass(frozen=True)
class Failure:
    """
    A frame that gave no mask, or no geometry.

    :param kind: ``input`` where the image could not be used, ``output`` where the network
        or a later step failed
    :param is_latest: whether nothing succeeded since
    """

    kind: str
    reason: str
    is_latest: bool


class FailureRecord:
    """Keeps the last failure while it is recent, or until something succeeds."""

    def __init__(self) -> None:
        self._failure = ('', '')
        self._failed_s = self._succeeded_s = -math.inf

    def failed(self, now_s: float, kind: str, reason: str) -> None:
        self._failure = (kind, reason)
        self._failed_s = now_s

    def succeeded(self, now_s: float) -> None:
        self._succeeded_s = now_s

    def current(self, now_s: float) -> Failure | None:
        """Return the failure that is to be told now, or None."""
        is_latest = self._failed_s > self._succeeded_s
        if is_latest or now_s - self._failed_s < RECENT_S / 2:
            return Failure(*self._failure, is_latest)
        return None


@dataclass(frozen=True)
class CameraSnapshot:
    """
    The state of one camera at one moment; what is not known is None.

    :param image: encoding and size of the newest image, for example ``bgr8 1280x720``
    :param waited_s: time without an image
    :param still_s: for how long images have come whose pixels are all the same
    :param idle_s: time without a mask
    :param stamp_rate_hz: rate of the masks by their stamps
    :param stamps: what is wrong with the stamps of the images
    :param failure: the last failure, while it is recent or nothing was published since
    :param median_s: median by stage of the last seconds
    :param p99_s: 99th percentile by stage of the last ten seconds
    """

    name: str
    image: str | None
    frames_received: int
    frames_dropped: int
    frames_failed: int
    frames_published: int
    input_rate_hz: float | None
    output_rate_hz: float | None
    stamp_rate_hz: float | None
    stamps: StampSnapshot
    waited_s: float
    still_s: float
    idle_s: float
    failure: Failure | None
    median_s: Mapping[str, float | None]
    p99_s: Mapping[str, float | None]


class CameraRecord:
    """
    Keeps the record of one camera; may be used from any thread.

    Times are by a clock that never goes back, in seconds.

    :param now_s: since when images are expected
    """

    def __init__(self, name: str, now_s: float) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._received = self._dropped = self._failed = self._published = 0
        self._image: str | None = None
        self._stamp_record = StampRecord()
        self.restart(now_s)

    def restart(self, now_s: float) -> None:
        """Expect images from now on; counts go on."""
        with self._lock:
            self._since_s = now_s
            self._input, self._output, self._stamps = (RateMeter() for _ in range(3))
            self._newest_stamp_s: float | None = None
            self._stamp_record.restart()
            self._stages = StageClock()
            self._failures = FailureRecord()
            self._sample = b''
            self._still_s = self._changed_s = 0.0

    def stamped(self, now_s: float, stamp_ns: int) -> bool:
        """
        Take the stamp of an image that came; see :meth:`StampRecord.received`.

        :return: whether the image can have an age
        """
        with self._lock:
            return self._stamp_record.received(now_s, stamp_ns)

    def compared(self, now_s: float, ahead_s: float) -> bool:
        """
        Take how far a stamp was ahead of the clock when its image came.

        :return: whether it was not, so that its age is one
        """
        with self._lock:
            return self._stamp_record.compared(now_s, ahead_s)

    def received(self, now_s: float, image: str, *, replaced: bool, sample: bytes = b'') -> None:
        """
        Count an image.

        :param image: its encoding and size
        :param replaced: whether it took the place of one that still waited
        :param sample: some of its bytes; empty where it does not matter whether they change
        """
        with self._lock:
            if not sample or sample != self._sample:
                self._sample, self._changed_s = sample, now_s
            self._still_s = now_s - self._changed_s
            self._received += 1
            self._dropped += replaced
            self._image = image
            self._input.add(now_s)

    def gave_way(self) -> None:
        """Count an image as dropped that was taken already, and gave way to a newer one."""
        with self._lock:
            self._dropped += 1

    def failed(self, now_s: float, kind: str, reason: str) -> None:
        """Count an image that gave no mask; see :class:`Failure`."""
        with self._lock:
            self._failed += 1
            self._failures.failed(now_s, kind, reason)

    def published(self, now_s: float, stamp_s: float | None) -> None:
        """
        Count a mask.

        :param stamp_s: its header's stamp, or None where it has none
        """
        with self._lock:
            self._published += 1
            self._failures.succeeded(now_s)
            self._output.add(now_s)
            # A stamp that is repeated is no event by the camera's clock.
            if stamp_s not in (None, self._newest_stamp_s):
                self._newest_stamp_s = stamp_s
                self._stamps.add(stamp_s)

    def took(self, now_s: float, durations_s: Mapping[str, float | None]) -> None:
        """Keep how long the stages of a frame took; see STAGES."""
        with self._lock:
            for stage, duration_s in durations_s.items():
                self._stages.add(stage, duration_s, now_s)

    def snapshot(self, now_s: float, *, percentiles: bool = True) -> CameraSnapshot:
        """
        Return the state now.

        :param percentiles: whether to work out those of the stages, which costs more than
            all the rest
        """
        with self._lock:
            waited_s = self._input.since_last_s(now_s)
            idle_s = self._output.since_last_s(now_s)
            stages, names = self._stages, STAGES if percentiles else ()
            return CameraSnapshot(
                name=self.name,
                image=self._image,
                frames_received=self._received,
                frames_dropped=self._dropped,
                frames_failed=self._failed,
                frames_published=self._published,
                input_rate_hz=self._input.rate_hz(now_s),
                output_rate_hz=self._output.rate_hz(now_s),
                stamp_rate_hz=self._stamps.rate_hz(),
                stamps=self._stamp_record.snapshot(),
                waited_s=now_s - self._since_s if waited_s is None else waited_s,
                still_s=self._still_s,
                idle_s=now_s - self._since_s if idle_s is None else idle_s,
                failure=self._failures.current(now_s),
                median_s={s: stages.percentile_s(s, 50, now_s, RECENT_S) for s in names},
                p99_s={s: stages.percentile_s(s, 99, now_s) for s in names},
            )
