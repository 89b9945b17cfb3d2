"""Bags that ROS 2 recorded, as sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import ClassVar

from espnet_ros.exceptions import InputError
from espnet_ros.sources.bag_reader import Bag, BagImage, open_bag, Record
from espnet_ros.sources.base import BrokenFrame, Frame, Source
import numpy as np

_LOOKED_AT = 30
"""So many messages tell the size and the rate."""


class BagSource(Source):
    """
    One image topic of a bag.

    Frames are called after the stamps of their headers. A message that cannot be read, or is
    of another size than the first, becomes a :class:`BrokenFrame`.

    :param path: a folder that ``ros2 bag record`` wrote, or one .mcap or .db3 file
    :param topic: which topic; may be empty where one alone holds images
    :param loop: whether to start again at the end
    :param rate_hz: rate to play it at; None takes that of the stamps
    :param bit_depth: bits that count in images of 16 bits, 8 to 16
    :raises InputError: it is no bag, the topic is not in it, or it has no image that can be read
    """

    is_stamped: ClassVar[bool] = True

    def __init__(
        self,
        path: Path,
        *,
        topic: str = '',
        loop: bool = False,
        rate_hz: float | None = None,
        bit_depth: int = 16,
    ) -> None:
        self.path = path
        self._bit_depth = bit_depth
        with open_bag(path) as bag:
            counts = bag.image_counts()
            self.topic = _choose_topic(path, bag, topic)
            name = f'{self.topic} of bag {path}'
            size, own_rate_hz = _look_at(bag.records(self.topic), name)
        super().__init__(
            name,
            loop=loop,
            rate_hz=rate_hz or own_rate_hz,
            frame_count=counts[self.topic],
            size=size,
        )

    def _frames(self) -> Iterator[Frame | BrokenFrame]:
        names: set[str] = set()
        index = -1
        with open_bag(self.path) as bag:
            for index, record in enumerate(bag.records(self.topic)):
                yield self._frame(index, record, names)
        if index + 1 != self.frame_count:
            raise InputError(
                f'{self.name}: the bag breaks off after {index + 1} images, expected '
                f'{self.frame_count}; it is truncated or damaged'
            )

    def _frame(self, index: int, record: Record, names: set[str]) -> Frame | BrokenFrame:
        name = f'{self.path.stem}_{index:06d}'
        try:
            image = record.read()
            name = _unique_name(image, index, names)
            image_bgr = image.decode(self._bit_depth)
        except InputError as error:
            return BrokenFrame(name, index, f'{self.name}, image {index}: {error}')
        height, width = image_bgr.shape[:2]
        if (height, width) != self.size:
            reason = f'expected {_words(self.size)} as in the first image, found {width}x{height}'
            return BrokenFrame(name, index, f'{self.name}, image {index}: {reason}')
        # bgr8 is a view that cannot be written to, but a frame's image belongs to its taker.
        return Frame(
            name,
            index,
            np.require(image_bgr, requirements=['C', 'W']),
            stamp_ns=image.stamp_ns,
            frame_id=image.frame_id,
        )


def _choose_topic(path: Path, bag: Bag, asked: str) -> str:
    counts = bag.image_counts()
    found = ', '.join(f'{name} ({count})' for name, count in counts.items())
    if not counts:
        raise InputError(
            f'{path}: expected a bag with messages of sensor_msgs/Image or CompressedImage, '
            f'found none on its {bag.topic_count} topics'
        )
    if asked:
        topic = f'/{asked.lstrip("/")}'
        if topic not in counts:
            raise InputError(f'{path}: no images on topic {topic}; expected one of {found}')
        return topic
    if len(counts) > 1:
        raise InputError(
            f'{path}: expected one topic with images, found {found}; name one, as in '
            f'{path}:{next(iter(counts))}'
        )
    return next(iter(counts))


def _unique_name(image: BagImage, index: int, names: set[str]) -> str:
    """Return the stamp, which sorts as text; and the index where the stamp was there before."""
    seconds, nanoseconds = divmod(image.stamp_ns, 1_000_000_000)
    name = f'{seconds:010d}.{nanoseconds:09d}'
    if name in names:
        name = f'{name}_{index:06d}'
    names.add(name)
    return name


def _look_at(records: Iterator[Record], name: str) -> tuple[tuple[int, int], float | None]:
    """
    Return the size of the first image that can be read, and the rate.

    The rate is the median by the headers, or by the recording where they do not tell, or None.

    :raises InputError: none of the first images can be read
    """
    size: tuple[int, int] | None = None
    reason = ''
    stamps_ns, recorded_ns = [], []
    for record in islice(records, _LOOKED_AT):
        recorded_ns.append(record.recorded_ns)
        try:
            image = record.read()
            stamps_ns.append(image.stamp_ns)
            if size is None:
                height, width = image.decode().shape[:2]
                size = height, width
        except InputError as error:
            reason = reason or str(error)
    if size is None:
        raise InputError(f'{name}: no image can be read: {reason}')
    return size, _rate_hz(stamps_ns) or _rate_hz(recorded_ns)


def _rate_hz(times_ns: Sequence[int]) -> float | None:
    steps_ns = np.diff(times_ns)
    return float(1e9 / np.median(steps_ns)) if steps_ns.size and (steps_ns > 0).all() else None


def _words(size: tuple[int, int] | None) -> str:
    return 'none' if size is None else f'{size[1]}x{size[0]}'
