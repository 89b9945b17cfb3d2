"""Messages of a bag that ROS 2 recorded, read without ROS: all that touches rosbags."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from espnet_ros.exceptions import InputError
from espnet_ros.file_kinds import FileKind, kind_of_data
from espnet_ros.planning.geometry.camera import Calibration
from espnet_ros.processing.image_messages import compressed_to_bgr, raw_to_bgr
from espnet_ros.sources.base import FrameCalibration
import numpy as np
from numpy.typing import NDArray
from rosbags.rosbag2 import Reader
from rosbags.serde import SerdeError
from rosbags.typesys import get_typestore, Stores

COMPRESSED_TYPE = 'sensor_msgs/msg/CompressedImage'
IMAGE_TYPES = ('sensor_msgs/msg/Image', COMPRESSED_TYPE)
CALIBRATION_TYPE = 'sensor_msgs/msg/CameraInfo'

# These messages are the same in every distribution, so a bag need not carry its definitions.
_TYPES = get_typestore(Stores.ROS2_HUMBLE)


@dataclass(frozen=True, eq=False)
class BagImage:
    """
    An image message.

    :param stamp_ns: of its header, nanoseconds; 0 where the driver set none
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

        :return: uint8, (H, W, 3), BGR; may be a read-only view of the message
        :raises InputError: they cannot be read
        """
        to_bgr = compressed_to_bgr if self.is_compressed else raw_to_bgr
        return to_bgr(self.message, bit_depth)


@dataclass(frozen=True, eq=False)
class BagCalibration:
    """
    A sensor_msgs/CameraInfo.

    :param stamp_ns: of its header, nanoseconds; 0 where the driver set none
    """

    stamp_ns: int
    calibration: FrameCalibration


@dataclass(frozen=True, eq=False)
class Record:
    """
    A recorded message, not looked into yet.

    :param message_type: for example ``sensor_msgs/msg/Image``
    :param data: as it was sent
    """

    topic: str
    recorded_ns: int
    message_type: str
    data: bytes

    def read_image(self) -> BagImage:
        """
        Read an image message.

        :raises InputError: the data is no such message
        """
        message = self._read()
        is_compressed = self.message_type == COMPRESSED_TYPE
        return BagImage(_stamp_ns(message), message.header.frame_id, message, is_compressed)

    def read_calibration(self) -> BagCalibration:
        """
        Read a sensor_msgs/CameraInfo.

        :raises InputError: the data is no such message
        """
        info = self._read()
        calibration = Calibration.from_message(info)
        return BagCalibration(
            _stamp_ns(info),
            FrameCalibration(calibration, info.header.frame_id, bool(info.roi.do_rectify)),
        )

    def _read(self) -> Any:
        try:
            return _TYPES.deserialize_cdr(self.data, self.message_type)
        except SerdeError as error:
            if kind_of_data(self.data) is FileKind.ZSTD:
                raise InputError(
                    'its messages are compressed, as only metadata.yaml tells; name the folder of '
                    'the bag in place of the file'
                ) from error
            raise InputError(f'damaged {self.message_type} message: {error}') from error


class Bag:
    """An open bag."""

    def __init__(self, path: Path, reader: Reader) -> None:
        self._path = path
        self._reader = reader
        self.topic_count = len({c.topic for c in reader.connections})

    def counts(self, message_types: Collection[str]) -> dict[str, int]:
        """Return the topics with messages of these types, and how many each holds."""
        counts: dict[str, int] = {}
        for connection in self._reader.connections:
            if connection.msgtype in message_types and connection.msgcount:
                counts[connection.topic] = counts.get(connection.topic, 0) + connection.msgcount
        return dict(sorted(counts.items()))

    def records(self, *topics: str) -> Iterator[Record]:
        """
        Give the messages of some topics in the order in which they were recorded.

        :raises InputError: the bag breaks off
        """
        chosen = [c for c in self._reader.connections if c.topic in topics]
        with _told_in_one_line(self._path):
            for connection, recorded_ns, data in self._reader.messages(chosen):
                yield Record(connection.topic, recorded_ns, connection.msgtype, data)


@contextmanager
def open_bag(path: Path) -> Iterator[Bag]:
    """
    Open a folder that ``ros2 bag record`` wrote, or one .mcap or .db3 file.

    :raises InputError: it is gone, no bag, or damaged
    """
    if not path.exists():
        raise InputError(f'{path}: no such bag; was it moved or deleted?')
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


def _stamp_ns(message: Any) -> int:
    stamp = message.header.stamp
    return int(stamp.sec * 1_000_000_000 + stamp.nanosec)


@contextmanager
def _told_in_one_line(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # of the storages, of compression, of parsing: any
        reason = str(error) or type(error).__name__
        raise InputError(
            f'{path}: the bag is damaged, or was cut off while it was recorded ({reason}); '
            '"mcap recover" fixes .mcap files, "ros2 bag reindex" folders'
        ) from error
