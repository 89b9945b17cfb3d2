"""What became of one camera's frames: counts, rates, stage times, failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import math
import threading

from espnet_ros.telemetry.rates import RateMeter
from espnet_ros.telemetry.stage_clock import StageClock

STAGES = ('convert', 'prepare', 'inference', 'finish', 'publish', 'latency', 'age')
RECENT_S = 2.0


@dataclass(frozen=True)
class Failure:
    """
    A frame that gave no mask.

    :param kind: ``input`` where the image could not be used, ``output`` where the network
        or a later step failed
    :param reason: the error, in words
    :param is_latest: whether no mask was published since
    """

    kind: str
    reason: str
    is_latest: bool


@dataclass(frozen=True)
class CameraSnapshot:
    """
    The state of one camera at one moment; what is not known is None.

    :param image: encoding and size of the newest image, for example ``bgr8 1280x720``
    :param waited_s: time without an image
    :param idle_s: time without a mask
    :param stamp_rate_hz: rate of the masks by their stamps
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
    waited_s: float
    idle_s: float
    failure: Failure | None
    median_s: Mapping[str, float | None]
    p99_s: Mapping[str, float | None]


class CameraRecord:
    """
    Keeps the record of one camera; may be used from any thread.

    Times are by a clock that never goes back, in seconds.

    :param name: the camera name, empty for the only one
    :param now_s: since when images are expected
    """

    def __init__(self, name: str, now_s: float) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._received = self._dropped = self._failed = self._published = 0
        self._image: str | None = None
        self.restart(now_s)

    def restart(self, now_s: float) -> None:
        """Expect images from now on; counts go on."""
        with self._lock:
            self._since_s = now_s
            self._input, self._output, self._stamps = (RateMeter() for _ in range(3))
            self._stages = StageClock()
            self._failure: tuple[str, str] | None = None
            self._failed_s = self._published_s = -math.inf

    def received(self, now_s: float, image: str, *, replaced: bool) -> None:
        """
        Count an image.

        :param image: its encoding and size
        :param replaced: whether it took the place of one that still waited
        """
        with self._lock:
            self._received += 1
            self._dropped += replaced
            self._image = image
            self._input.add(now_s)

    def failed(self, now_s: float, kind: str, reason: str) -> None:
        """Count an image that gave no mask; see :class:`Failure`."""
        with self._lock:
            self._failed += 1
            self._failure = (kind, reason)
            self._failed_s = now_s

    def published(self, now_s: float, stamp_s: float | None) -> None:
        """
        Count a mask.

        :param stamp_s: its header's stamp, or None where it has none
        """
        with self._lock:
            self._published += 1
            self._published_s = now_s
            self._output.add(now_s)
            if stamp_s is not None:
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
                waited_s=now_s - self._since_s if waited_s is None else waited_s,
                idle_s=now_s - self._since_s if idle_s is None else idle_s,
                failure=self._current_failure(now_s),
                median_s={s: stages.percentile_s(s, 50, now_s, RECENT_S) for s in names},
                p99_s={s: stages.percentile_s(s, 99, now_s) for s in names},
            )

    def _current_failure(self, now_s: float) -> Failure | None:
        is_latest = self._failed_s > self._published_s
        if self._failure is None or not (is_latest or now_s - self._failed_s < RECENT_S / 2):
            return None
        return Failure(*self._failure, is_latest)
