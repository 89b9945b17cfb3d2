"""Image messages of a bag that ROS 2 recorded, read without ROS: all that touches rosbags."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from espnet_ros.exceptions import InputError
from espnet_ros.processing.image_messages import compressed_to_bgr, raw_to_bgr
import numpy as np
from numpy.typing import NDArray
from rosbags.rosbag2 import Reader
from rosbags.serde import SerdeError
from rosbags.typesys import get_typestore, Stores

_COMPRESSED = 'sensor_msgs/msg/CompressedImage'
_IMAGE_TYPES = ('sensor_msgs/msg/Image', _COMPRESSED)

# Images are the same in every distribution, so a bag need not carry its definitions.
_TYPES = get_typestore(Stores.ROS2_HUMBLE)


@dataclass(frozen=True, eq=False)
class BagImage:
    """
    An image message.

    :param stamp_ns: of its header, nanoseconds; 0 where the driver set none
    :param frame_id: of its header
    :param message: with the fields of sensor_msgs/Image or CompressedImage
    :param is_compressed: which of the two
    """

    stamp_ns: int
    frame_id: str
    message: Any
    is_compressed: bool

    def decode(self, bit_depth: int = 16) -> NDArray[np.uint8]:
        """
        Return the pixels.

        :param bit_depth: bits that count in values of 16
        :return: uint8, (H, W, 3), BGR; may be a read-only view of the message
        :raises InputError: they cannot be read
        """
        to_bgr = compressed_to_bgr if self.is_compressed else raw_to_bgr
        return to_bgr(self.message, bit_depth)


@dataclass(frozen=True, eq=False)
class Record:
    """
    A recorded message, not looked into yet.

    :param recorded_ns: when it was recorded, nanoseconds
    :param message_type: for example ``sensor_msgs/msg/Image``
    :param data: as it was sent
    """

    recorded_ns: int
    message_type: str
    data: bytes

    def read(self) -> BagImage:
        """
        Read an image message.

        :raises InputError: the data is no such message
        """
        try:
            message: Any = _TYPES.deserialize_cdr(self.data, self.message_type)
        except SerdeError as error:
            raise InputError(f'damaged {self.message_type} message: {error}') from error
        header = message.header
        stamp_ns = header.stamp.sec * 1_000_000_000 + header.stamp.nanosec
        return BagImage(stamp_ns, header.frame_id, message, self.message_type == _COMPRESSED)


class Bag:
    """
    An open bag.

    :ivar topic_count: how many topics it has
    """

    def __init__(self, path: Path, reader: Reader) -> None:
        self._path = path
        self._reader = reader
        self.topic_count = len({c.topic for c in reader.connections})

    def image_counts(self) -> dict[str, int]:
        """Return the topics with images, and how many each holds."""
        counts: dict[str, int] = {}
        for connection in self._reader.connections:
            if connection.msgtype in _IMAGE_TYPES and connection.msgcount:
                counts[connection.topic] = counts.get(connection.topic, 0) + connection.msgcount
        return dict(sorted(counts.items()))

    def records(self, topic: str) -> Iterator[Record]:
        """
        Give the messages of an image topic in the order in which they were recorded.

        :raises InputError: the bag breaks off
        """
        chosen = [c for c in self._reader.connections if c.topic == topic]
        with _told_in_one_line(self._path):
            for connection, recorded_ns, data in self._reader.messages(chosen):
                yield Record(recorded_ns, connection.msgtype, data)


@contextmanager
def open_bag(path: Path) -> Iterator[Bag]:
    """
    Open a folder that ``ros2 bag record`` wrote, or one .mcap or .db3 file.

    :raises InputError: it is no bag, or damaged
    """
    if path.is_dir() and not (path / 'metadata.yaml').is_file():
        raise InputError(
            f'{path}: expected metadata.yaml beside the recorded files, found none, as where '
            f'recording was cut off; run "ros2 bag reindex {path}", or name one of the files'
        )
    with _told_in_one_line(path):
        reader = Reader(path)
        reader.open()
    try:
        yield Bag(path, reader)
    finally:
        reader.close()


@contextmanager
def _told_in_one_line(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # of the storages, of compression, of parsing: any
        reason = str(error) or type(error).__name__
        raise InputError(
            f'{path}: the bag is damaged, or was cut off while it was recorded ({reason}); '
            '"mcap recover" mends .mcap files, "ros2 bag reindex" folders'
        ) from error
