"""What belongs to a mask: the messages of its own stamp, and no others."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

from espnet_ros.exceptions import InputError
from espnet_ros.nodes.free_space.synchronization.ages import in_seconds
from espnet_ros.nodes.free_space.synchronization.stamp_queue import PendingError
from espnet_ros.nodes.ros.messages.stamps import stamp_ns
from sensor_msgs.msg import CameraInfo, Image

T = TypeVar('T')


class StampBook(Generic[T]):
    """
    Keeps the newest messages of a topic by their stamps.

    :param limit: how many are kept
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: OrderedDict[int, T] = OrderedDict()
        self.last: T | None = None

    def add(self, time_ns: int, item: T) -> None:
        """Take a message; the one that came first goes where there are too many."""
        self._items[time_ns] = self.last = item
        self._items.move_to_end(time_ns)
        if len(self._items) > self._limit:
            self._items.popitem(last=False)

    def get(self, time_ns: int) -> T | None:
        return self._items.get(time_ns)

    def drop_before(self, time_ns: int) -> None:
        for early in [stamp for stamp in self._items if stamp < time_ns]:
            del self._items[early]

    def clear(self) -> None:
        self._items.clear()
        self.last = None


def info_of(mask: Image, infos: StampBook[CameraInfo], topic: str) -> CameraInfo:
    """
    Return the calibration of a mask's own image.

    :raises PendingError: none has its stamp
    :raises InputError: that of its stamp is of another frame
    """
    mask_ns = stamp_ns(mask.header.stamp)
    info = infos.get(mask_ns)
    if info is None:
        raise PendingError(
            f'camera_info: expected one with the stamp of the mask, {in_seconds(mask_ns)}, on '
            f'{topic}, found {_describe_last(mask, infos.last)}; metres need the calibration of '
            'the image'
        )
    if info.header.frame_id != mask.header.frame_id:
        raise InputError(f'camera_info on {topic}: {_describe_frames(mask, info)}')
    return info


def confidence_of(mask: Image, confidences: StampBook[Image], topic: str) -> Image:
    """
    Return the confidence of a mask.

    :raises PendingError: none has its stamp
    """
    found = confidences.get(stamp_ns(mask.header.stamp))
    if found is None:
        raise PendingError(
            f'no confidence on {topic} with the stamp of the mask; publish it, or set '
            'use_confidence: false'
        )
    return found


def _describe_last(mask: Image, last: CameraInfo | None) -> str:
    """Return in words what came instead of the calibration that was expected."""
    if last is None:
        return 'none at all'
    parts = [f'the last one at {in_seconds(stamp_ns(last.header.stamp))}']
    if last.header.frame_id != mask.header.frame_id:
        parts.append(_describe_frames(mask, last))
    if (last.width, last.height) != (mask.width, mask.height):
        parts.append(
            f'of {last.width}x{last.height} pixels, the mask has {mask.width}x{mask.height}'
        )
    return ', '.join(parts)


def _describe_frames(mask: Image, info: CameraInfo) -> str:
    return (
        f'expected the frame of the mask, {mask.header.frame_id!r}, found '
        f'{info.header.frame_id!r}: it is of another camera'
    )
