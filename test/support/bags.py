"""Bags as ROS 2 records them, written without ROS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores

TYPES = get_typestore(Stores.ROS2_JAZZY)
START_NS = 1_700_000_000_000_000_000
STEP_NS = 50_000_000

Message = tuple[str, dict[str, Any]]
"""The name of a type of sensor_msgs, and the fields beside its header."""


@dataclass(frozen=True, eq=False)
class Recorded:
    """
    A message as it was recorded.

    :param message: bytes are sent as they are, of the type that others on the topic have
    :param recorded_ns: when, after the beginning
    :param stamp_ns: of its header, after the beginning; None is 0, as of drivers that set none
    """

    topic: str
    message: Message | bytes
    recorded_ns: int
    stamp_ns: int | None = None
    frame_id: str = 'front'


def write_bag(
    folder: Path,
    topics: Mapping[str, Sequence[Message | bytes]],
    *,
    storage: StoragePlugin = StoragePlugin.MCAP,
    stamps_ns: Sequence[int] | None = None,
) -> Path:
    """
    Write a bag; the messages of a topic are recorded STEP_NS after each other.

    :param topics: the messages by topic; bytes are an Image as it is sent, or broken
    :param stamps_ns: those of the headers; None takes the times of recording
    """
    with Writer(folder, version=9, storage_plugin=storage) as writer:
        for topic, messages in topics.items():
            name = next((m[0] for m in messages if not isinstance(m, bytes)), 'Image')
            connection = writer.add_connection(topic, f'sensor_msgs/msg/{name}', typestore=TYPES)
            for index, message in enumerate(messages):
                recorded_ns = START_NS + index * STEP_NS
                stamp_ns = recorded_ns if stamps_ns is None else stamps_ns[index]
                data = message if isinstance(message, bytes) else serialize(*message, stamp_ns)
                writer.write(connection, recorded_ns, data)
    return folder


def record_bag(
    folder: Path,
    messages: Iterable[Recorded],
    *,
    storage: StoragePlugin = StoragePlugin.MCAP,
) -> Path:
    """Write a bag of messages in the order in which they were recorded."""
    ordered = sorted(messages, key=lambda entry: entry.recorded_ns)
    types = {e.topic: e.message[0] for e in ordered if not isinstance(e.message, bytes)}
    with Writer(folder, version=9, storage_plugin=storage) as writer:
        connections = {
            topic: writer.add_connection(topic, f'sensor_msgs/msg/{name}', typestore=TYPES)
            for topic, name in types.items()
        }
        for entry in ordered:
            message = entry.message
            stamp_ns = 0 if entry.stamp_ns is None else START_NS + entry.stamp_ns
            if not isinstance(message, bytes):
                message = serialize(*message, stamp_ns, entry.frame_id)
            writer.write(connections[entry.topic], START_NS + entry.recorded_ns, message)
    return folder


def gray_image(value: int, size: tuple[int, int] = (4, 6)) -> Message:
    """Return a mono8 image of one value, of (height, width)."""
    height, width = size
    return 'Image', {
        'encoding': 'mono8',
        'height': height,
        'width': width,
        'is_bigendian': 0,
        'step': width,
        'data': np.full(height * width, value, np.uint8),
    }


def photo(value: int) -> Message:
    """Return a PNG of one value."""
    return picture(np.full((4, 6, 3), value, np.uint8))


def picture(image_bgr: np.ndarray) -> Message:
    """Return a PNG of an image."""
    data = cv2.imencode('.png', image_bgr)[1]
    return 'CompressedImage', {'format': 'bgr8; png compressed bgr8', 'data': data.ravel()}


def camera_info(focal: float, size: tuple[int, int] = (4, 6)) -> Message:
    """Return a CameraInfo with a number in every field; the focal length tells it from others."""
    region_type = TYPES.types['sensor_msgs/msg/RegionOfInterest']
    k = (focal, 0.0, 2.5, 0.0, focal, 1.5, 0.0, 0.0, 1.0)
    return 'CameraInfo', {
        'height': size[0],
        'width': size[1],
        'distortion_model': 'equidistant',
        'd': np.array((0.1, 0.2, 0.3, 0.4)),
        'k': np.array(k),
        'r': np.eye(3).ravel(),
        'p': np.array((focal, 0.0, 2.5, 7.0, 0.0, focal, 1.5, 0.0, 0.0, 0.0, 1.0, 0.0)),
        'binning_x': 2,
        'binning_y': 3,
        'roi': region_type(x_offset=1, y_offset=2, height=3, width=4, do_rectify=True),
    }


def serialize(
    name: str, fields: Mapping[str, Any], stamp_ns: int, frame_id: str = 'front'
) -> bytes:
    """Return a message of sensor_msgs with a header, as it is sent."""
    time_type = TYPES.types['builtin_interfaces/msg/Time']
    header_type = TYPES.types['std_msgs/msg/Header']
    seconds, nanoseconds = divmod(stamp_ns, 1_000_000_000)
    header = header_type(stamp=time_type(sec=seconds, nanosec=nanoseconds), frame_id=frame_id)
    kind = f'sensor_msgs/msg/{name}'
    return bytes(TYPES.serialize_cdr(TYPES.types[kind](header=header, **fields), kind))
