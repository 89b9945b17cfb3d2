"""Somebody who watches the live view for as long as a soak takes."""

from __future__ import annotations

from contextlib import suppress
from http.client import HTTPException
import threading
from typing import BinaryIO
from urllib.request import urlopen

_SILENCE_LIMIT_S = 30.0
_RETRY_S = 0.5
_JPEG_START, _JPEG_END = b'\xff\xd8', b'\xff\xd9'


class Viewer:
    """
    Reads the MJPEG stream of a page, and opens it again where it ends.

    :param page_url: of the live view
    :param rate_hz: highest rate of the pictures, as a whole number
    :param width: of the pictures in pixels

    :ivar pictures: whole JPEGs that came
    :ivar broken: what came between two boundaries and is no whole JPEG
    :ivar streams: how often the stream was opened
    """

    def __init__(self, page_url: str, rate_hz: int, width: int = 640) -> None:
        self.page_url = page_url
        self._stream_url = f'{page_url}overlay.mjpg?rate={rate_hz}&width={width}'
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name='viewer')
        self.pictures = self.broken = self.streams = 0

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """Watch no more; the server should have ended, or this takes until its next picture."""
        self._is_closed.set()
        self._thread.join()

    def report(self) -> dict[str, int]:
        """Return what came, for JSON."""
        return {'pictures': self.pictures, 'broken': self.broken, 'streams': self.streams}

    def _run(self) -> None:
        while not self._is_closed.wait(_RETRY_S):
            with (
                suppress(OSError, HTTPException),
                urlopen(self._stream_url, timeout=_SILENCE_LIMIT_S) as answer,
            ):
                self.streams += 1
                while not self._is_closed.is_set() and self._read_picture(answer):
                    pass

    def _read_picture(self, stream: BinaryIO) -> bool:
        """Read one part of the stream; return whether there was one."""
        length = 0
        while line := stream.readline():
            name, _, value = line.partition(b':')
            if name.lower() == b'content-length':
                length = int(value)
            if length and not line.strip():
                break
        picture = stream.read(length)
        if not picture:
            return False
        is_whole = picture.startswith(_JPEG_START) and picture.endswith(_JPEG_END)
        self.pictures += is_whole
        self.broken += not is_whole
        return True
