"""Bags that ROS 2 recorded, as sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
import logging
from pathlib import Path
from typing import ClassVar

from espnet_ros.exceptions import InputError
from espnet_ros.sources.bag_pairing import ImageOrError, paired
from espnet_ros.sources.bag_reader import (
    Bag,
    BagCalibration,
    BagImage,
    IMAGE_TYPES,
    open_bag,
    Record,
)
from espnet_ros.sources.bag_topics import choose_calibrations, choose_images
from espnet_ros.sources.base import BrokenFrame, Frame, FrameCalibration, Source
import numpy as np

_log = logging.getLogger(__name__)

_LOOKED_AT = 30
"""So many messages tell the size and the rate, and the calibration at the beginning."""


class BagSource(Source):
    """
    One image topic of a bag.

    Frames are called after the stamps of their headers, and have the calibration that
    :func:`paired` finds for them. A message that cannot be read, or is of another size than the
    first, becomes a :class:`BrokenFrame`.

    :param path: a folder that ``ros2 bag record`` wrote, or one .mcap or .db3 file
    :param topic: which topic; may be empty where one alone holds images
    :param rate_hz: rate to play it at; None takes that of the stamps
    :param camera_info_topic: topic of the calibrations; empty takes camera_info beside the
        images, where that is in the bag
    :param bit_depth: bits that count in images of 16 bits, 8 to 16
    :raises InputError: it is no bag, a topic is not in it, or it has no image that can be read
    """

    is_stamped: ClassVar[bool] = True

    def __init__(
        self,
        path: Path,
        *,
        topic: str = '',
        loop: bool = False,
        rate_hz: float | None = None,
        camera_info_topic: str = '',
        bit_depth: int = 16,
    ) -> None:
        self.path = path
        self._bit_depth = bit_depth
        with open_bag(path) as bag:
            self.topic = choose_images(path, bag, topic)
            count = bag.counts(IMAGE_TYPES)[self.topic]
            name = f'{self.topic} of bag {path}'
            size, own_rate_hz = _look_at(bag.records(self.topic), name)
            self.camera_info_topic = choose_calibrations(path, bag, self.topic, camera_info_topic)
            calibration = _first_calibration(bag, self.camera_info_topic)
        self._is_damage_told = False
        super().__init__(
            name,
            loop=loop,
            rate_hz=rate_hz or own_rate_hz,
            frame_count=count,
            size=size,
            calibration=calibration,
        )

    def _frames(self) -> Iterator[Frame | BrokenFrame]:
        names: set[str] = set()
        index = -1
        with open_bag(self.path) as bag:
            for index, (image, calibration) in enumerate(self._pairs(bag)):
                yield self._frame(index, image, calibration, names)
        if index + 1 != self.frame_count:
            raise InputError(
                f'{self.name}: the bag breaks off after {index + 1} images, expected '
                f'{self.frame_count}; it is truncated or damaged'
            )

    def _pairs(self, bag: Bag) -> Iterator[tuple[ImageOrError, FrameCalibration | None]]:
        if self.calibration is None:
            return ((_image(record), None) for record in bag.records(self.topic))
        return paired(self._messages(bag))

    def _messages(self, bag: Bag) -> Iterator[ImageOrError | BagCalibration]:
        for record in bag.records(self.topic, self.camera_info_topic):
            if record.topic == self.topic:
                yield _image(record)
            else:
                try:
                    yield record.read_calibration()
                except InputError as error:
                    self._tell_damage(error)

    def _tell_damage(self, error: InputError) -> None:
        if not self._is_damage_told:
            self._is_damage_told = True
            _log.warning('%s: left out what cannot be read: %s', self.camera_info_topic, error)

    def _frame(
        self,
        index: int,
        image: ImageOrError,
        calibration: FrameCalibration | None,
        names: set[str],
    ) -> Frame | BrokenFrame:
        name = f'{self.path.stem}_{index:06d}'
        try:
            if isinstance(image, InputError):
                raise image
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
            calibration=calibration,
        )


def _image(record: Record) -> ImageOrError:
    try:
        return record.read_image()
    except InputError as error:
        return error


def _first_calibration(bag: Bag, topic: str) -> FrameCalibration | None:
    """Return the first calibration that can be read, or None where none of the first can."""
    reason = ''
    for record in islice(bag.records(topic), _LOOKED_AT) if topic else ():
        try:
            return record.read_calibration().calibration
        except InputError as error:
            reason = reason or str(error)
    if reason:
        _log.warning('%s: left out, none can be read: %s', topic, reason)
    return None


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
            image = record.read_image()
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
