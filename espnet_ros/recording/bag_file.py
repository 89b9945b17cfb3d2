"""An MCAP file of ROS messages that is whole or absent."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
import shutil
from typing import Any

from espnet_ros.exceptions import OutputError
from espnet_ros.files import part_of
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import get_types_from_msg, get_typestore, Stores

SUFFIX = '.mcap'


class BagFile:
    """
    Takes messages by topic; the file gets its name when it is closed.

    Used by one thread at a time.

    :param path: of the file; it ends with .mcap and is not there yet
    :raises OutputError: another suffix, the file is there already, or its folder cannot be written
    """

    def __init__(self, path: Path, *, replaces: bool = False) -> None:
        if path.suffix != SUFFIX:
            raise OutputError(f'{path}: expected a file name that ends with {SUFFIX}')
        if path.exists() and not replaces:
            raise OutputError(f'{path}: is there already; remove it, or choose another name')
        self.path = path
        self._folder = part_of(path)
        self._types = message_types()
        self._connections: dict[str, Any] = {}
        # A chunk of masks is small once it is packed.
        self._writer = Writer(self._folder, version=9, storage_plugin=StoragePlugin.MCAP)
        self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        try:
            self._writer.open()
        except OSError as error:
            raise OutputError(f'{path}: cannot be written ({error.strerror})') from error

    def make(self, message_type: str, **fields: Any) -> Any:
        """Return a message; arrays are numpy's, times and headers of :meth:`header`."""
        return self._types.types[message_type](**fields)

    def header(self, time_ns: int, frame_id: str) -> Any:
        seconds, nanoseconds = divmod(time_ns, 10**9)
        stamp = self.make('builtin_interfaces/msg/Time', sec=seconds, nanosec=nanoseconds)
        return self.make('std_msgs/msg/Header', stamp=stamp, frame_id=frame_id)

    def write(self, topic: str, message: Any, time_ns: int) -> None:
        """
        Write a message.

        :param message: as :meth:`make` returns it
        :param time_ns: of recording
        :raises OutputError: it cannot be written
        """
        name = message.__msgtype__
        self.write_serialized(topic, name, self._types.serialize_cdr(message, name), time_ns)

    def write_serialized(
        self, topic: str, message_type: str, data: bytes | memoryview, time_ns: int
    ) -> None:
        """
        Write a message as it was sent.

        :param message_type: for example sensor_msgs/msg/Image
        :raises OutputError: it cannot be written
        """
        try:
            if topic not in self._connections:
                self._connections[topic] = self._writer.add_connection(
                    topic, message_type, typestore=self._types
                )
            self._writer.write(self._connections[topic], time_ns, data)
        except OSError as error:
            raise OutputError(f'{self.path}: cannot be written ({error.strerror})') from error

    def close(self) -> None:
        """
        Give the file its name.

        :raises OutputError: it cannot be written
        """
        try:
            self._writer.close()
            (self._folder / f'{self._folder.name}{SUFFIX}').replace(self.path)
        except OSError as error:
            raise OutputError(f'{self.path}: cannot be written ({error.strerror})') from error
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> BagFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


PACKAGE = 'espnet_ros'


@cache
def message_types() -> Any:
    store = get_typestore(Stores.ROS2_JAZZY)
    for name, text in definition_texts().items():
        store.register(get_types_from_msg(text, f'{PACKAGE}/msg/{name}'))
    return store


def definition_texts() -> dict[str, str]:
    """Return the definitions of the messages of this package by name."""
    folder: Any = resources.files(PACKAGE) / 'recording' / 'definitions'
    if not folder.is_dir():  # the source tree, where they are built from
        folder = Path(__file__).resolve().parents[2] / 'msg'
    files = sorted((entry for entry in folder.iterdir()), key=lambda entry: str(entry.name))
    return {
        entry.name.removesuffix('.msg'): entry.read_text(encoding='utf-8')
        for entry in files
        if entry.name.endswith('.msg')
    }
