"""The geometry of one camera's images: the camera_info that belongs to each of them."""

from __future__ import annotations

from bisect import bisect_right
import math
import threading

from espnet_ros.exceptions import InputError
from espnet_ros.monitoring.camera_record import FailureRecord, RECENT_S
from espnet_ros.monitoring.geometry_health import GeometrySnapshot
from espnet_ros.nodes.ros.messages.camera_info import check_camera_info, is_calibrated
from espnet_ros.nodes.ros.messages.stamps import NS_PER_S, stamp_ns
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

WAIT_S = 0.02
STEADY_COUNT = 30
_STREAMING_S = 1.0
CAPACITY = 256


class InfoBuffer:
    """
    Keeps camera_info in the order of the stamps, the oldest going first.

    When stamps go back, as when a simulation or a recording starts again, those that are
    later are of an earlier run and are dropped. It is not locked; one thread at a time uses it.

    :param capacity: how many are kept; images wait for their masks meanwhile
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._stamps_ns: list[int] = []
        self._infos: list[CameraInfo] = []

    def __len__(self) -> int:
        return len(self._infos)

    def put(self, stamp_ns: int, info: CameraInfo) -> None:
        """Keep a message; it takes the place of one with the same stamp."""
        self.drop_from(stamp_ns)
        if len(self._infos) == self._capacity:
            del self._stamps_ns[0], self._infos[0]
        self._stamps_ns.append(stamp_ns)
        self._infos.append(info)

    def drop_from(self, stamp_ns: int) -> None:
        while self._stamps_ns and self._stamps_ns[-1] >= stamp_ns:
            self._stamps_ns.pop()
            self._infos.pop()

    def clear(self) -> None:
        self._stamps_ns.clear()
        self._infos.clear()

    def at_or_before(self, stamp_ns: int) -> tuple[int, CameraInfo] | None:
        """Return stamp and message of the last one that is not later, or None."""
        index = bisect_right(self._stamps_ns, stamp_ns)
        return (self._stamps_ns[index - 1], self._infos[index - 1]) if index else None

    def reaches(self, stamp_ns: int) -> bool:
        return bool(self._stamps_ns) and self._stamps_ns[-1] >= stamp_ns

    def oldest_ns(self) -> int | None:
        return self._stamps_ns[0] if self._stamps_ns else None


class CameraGeometry:
    """
    Finds the camera_info of an image: the one with its stamp, else the last one before it.

    Where the last STEADY_COUNT images had one with their stamp, the next one's is waited for,
    WAIT_S at most: it may be on its way, as drivers publish it after the image.

    All methods may be called from any thread.
    """

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self._heard_one = threading.Condition()
        self._buffer = InfoBuffer()
        self._failures = FailureRecord()
        self._image_ns: int | None = None
        self._heard = self._heard_at_match = 0
        self._heard_s = -math.inf
        self._found = self._missed = self._equal_in_a_row = 0
        self._lag_s: float | None = None
        self._lag_at_s = -math.inf
        self._is_calibrated: bool | None = None

    def clear(self) -> None:
        """Use nothing that came until now for an image that comes later."""
        with self._heard_one:
            self._buffer.clear()
            self._failures = FailureRecord()
            self._lag_s = None
            self._equal_in_a_row = 0

    def take(self, info: CameraInfo, now_s: float) -> None:
        """
        Keep a camera_info that came.

        :param now_s: when, by a clock that never goes back
        """
        with self._heard_one:
            self._heard += 1
            self._heard_s = now_s
            self._buffer.put(stamp_ns(info.header.stamp), info)
            self._heard_one.notify_all()

    def expect(self, image_ns: int) -> None:
        """
        Take the stamp of an image that came.

        One that goes back begins another run, as of a simulation: what is stamped later than
        the image then is of the run before, and must not meet this one's images.
        """
        with self._heard_one:
            if self._image_ns is not None and image_ns < self._image_ns:
                self._buffer.drop_from(image_ns + 1)
            self._image_ns = image_ns

    def find(
        self, header: Header, image_size: tuple[int, int], max_lag_ms: float, now_s: float
    ) -> CameraInfo | None:
        """
        Return the camera_info of an image, or None where none ever came.

        :param image_size: (height, width)
        :param max_lag_ms: how far it may be stamped before its image; 0 takes equal stamps only
        :param now_s: by a clock that never goes back
        :raises InputError: none of those that came is of this image
        """
        with self._heard_one:
            if not self._heard:
                self._missed += 1
                return None
            image_ns = stamp_ns(header.stamp)
            if self._equal_in_a_row >= STEADY_COUNT:
                self._heard_one.wait_for(lambda: self._buffer.reaches(image_ns), WAIT_S)
            try:
                info, lag_s = self._match(image_ns, max_lag_ms, now_s)
                self._check(info, header.frame_id, image_size)
            except InputError as error:
                self._equal_in_a_row = 0
                self._missed += 1
                self._failures.failed(now_s, 'geometry', str(error))
                raise
            self._found += 1
            self._equal_in_a_row = 0 if lag_s else self._equal_in_a_row + 1
            self._failures.succeeded(now_s)
            self._is_calibrated = is_calibrated(info)
            if self._lag_s is None or lag_s >= self._lag_s or now_s - self._lag_at_s > RECENT_S:
                self._lag_s, self._lag_at_s = lag_s, now_s
            return info

    def snapshot(self, now_s: float) -> GeometrySnapshot:
        with self._heard_one:
            return GeometrySnapshot(
                topic=self.topic,
                was_heard=self._heard > 0,
                found=self._found,
                missed=self._missed,
                lag_s=self._lag_s,
                is_calibrated=self._is_calibrated,
                failure=self._failures.current(now_s),
            )

    def _match(self, image_ns: int, max_lag_ms: float, now_s: float) -> tuple[CameraInfo, float]:
        """Return the camera_info by stamps, and how far it is stamped before the image."""
        match = self._buffer.at_or_before(image_ns)
        if match is None:
            raise InputError(self._nothing_before(image_ns))
        info_ns, info = match
        lag_s = (image_ns - info_ns) / NS_PER_S
        if lag_s * 1e3 <= max_lag_ms:
            self._heard_at_match = self._heard
            return info, lag_s
        if self._heard - self._heard_at_match > 1 and now_s - self._heard_s < _STREAMING_S:
            raise InputError(
                f'camera_info on {self.topic}: expected the stamp of the image, or at most '
                f'{max_lag_ms:g} ms before it (camera_info_max_lag_ms), found {lag_s:.3f} s before'
            )
        raise InputError(
            f'camera_info stopped: the last one on {self.topic} is {lag_s:.3f} s older than the '
            'image'
        )

    def _nothing_before(self, image_ns: int) -> str:
        oldest_ns = self._buffer.oldest_ns()
        if oldest_ns is None:
            return (
                f'camera_info stopped: none on {self.topic} since the node was activated or the '
                'stamps went back'
            )
        if not image_ns:
            return f'the image has no stamp (0), so no camera_info on {self.topic} is its own'
        return (
            f'camera_info on {self.topic}: expected the stamp of the image or an earlier one, '
            f'found {(oldest_ns - image_ns) / NS_PER_S:.3f} s after it'
        )

    def _check(self, info: CameraInfo, frame_id: str, image_size: tuple[int, int]) -> None:
        try:
            check_camera_info(info, frame_id, image_size)
        except InputError as error:
            raise InputError(f'camera_info on {self.topic}: {error}') from error
