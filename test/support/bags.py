"""Bags as ROS 2 records them, written without ROS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores

TYPES = get_typestore(Stores.ROS2_JAZZY)
START_NS = 1_700_000_000_000_000_000
STEP_NS = 50_000_000

Message = tuple[str, dict[str, Any]]
"""The name of a type of sensor_msgs, and the fields beside its header."""


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


def serialize(name: str, fields: Mapping[str, Any], stamp_ns: int) -> bytes:
    """Return a message of sensor_msgs with a header, as it is sent."""
    time_type = TYPES.types['builtin_interfaces/msg/Time']
    header_type = TYPES.types['std_msgs/msg/Header']
    seconds, nanoseconds = divmod(stamp_ns, 1_000_000_000)
    header = header_type(stamp=time_type(sec=seconds, nanosec=nanoseconds), frame_id='front')
    kind = f'sensor_msgs/msg/{name}'
    return bytes(TYPES.serialize_cdr(TYPES.types[kind](header=header, **fields), kind))
