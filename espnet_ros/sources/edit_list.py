"""
How much of an MP4 or QuickTime file its edit list plays.

A drive that was cut without being coded anew (``ffmpeg -ss 10 -c copy``) holds the images before
the cut too, from the last key frame on, and counts them; its edit list says to leave them out.
Boxes: ISO/IEC 14496-12.
"""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import struct

_MOST_BYTES = 1 << 28
"""Of an index that is read; ten hours of video need 20 MB."""


def played_s(path: Path) -> float | None:
    """Return the seconds that the edit list of a file's video plays; None where none tells."""
    try:
        with path.open('rb') as file:
            size = os.fstat(file.fileno()).st_size
            at = 0
            while at + 16 <= size:
                file.seek(at)
                head = file.read(16)
                length = _length(head, size - at)
                if head[4:8] == b'moov' and length <= _MOST_BYTES:
                    file.seek(at)
                    return _played_s(file.read(length)[8:])
                at += max(length, 8)
    except (OSError, struct.error, IndexError):
        return None
    return None


def _played_s(moov: bytes) -> float | None:
    timescale = 0
    for kind, content in _boxes(moov):
        if kind == b'mvhd':
            (timescale,) = struct.unpack_from('>I', content, 20 if content[0] else 12)
        elif kind == b'trak' and b'vide' in content:
            found = _find(content, b'edts', b'elst')
            units = 0 if found is None else sum(_durations(found))
            return units / timescale if units and timescale else None
    return None


def _find(content: bytes, *kinds: bytes) -> bytes | None:
    for kind in kinds:
        inner = next((found for each, found in _boxes(content) if each == kind), None)
        if inner is None:
            return None
        content = inner
    return content


def _durations(elst: bytes) -> Iterator[int]:
    """Give how long each edit plays; an empty one, of time -1, shows nothing."""
    (count,) = struct.unpack_from('>I', elst, 4)
    layout = struct.Struct('>QqI' if elst[0] else '>IiI')
    for duration, time, _ in layout.iter_unpack(elst[8 : 8 + count * layout.size]):
        if time >= 0:
            yield duration


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(content):
        length = _length(content[at : at + 16], len(content) - at)
        begin = at + (16 if content[at : at + 4] == b'\0\0\0\1' else 8)
        yield content[at + 4 : at + 8], content[begin : at + length]
        at += max(length, 8)


def _length(head: bytes, rest: int) -> int:
    """Return how long a box is that begins like this; 0 stands for all that is left."""
    (length,) = struct.unpack_from('>I', head)
    if length == 1:
        (length,) = struct.unpack_from('>Q', head, 8)
    return int(length) or rest
