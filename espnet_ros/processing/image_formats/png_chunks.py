"""The chunks of PNG files: what libpng would say of damaged ones is known before it says it."""

from __future__ import annotations

from collections.abc import Iterator
import struct
import zlib

from espnet_ros.exceptions import InputError

PNG_START = b'\x89PNG\r\n\x1a\n'

_PALETTE_KIND = 3
_KIND_AT = 25
_NEEDED = (b'IHDR', b'IDAT', b'IEND', b'tRNS', b'eXIf')


def chunks_of(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Give (name, body, the whole chunk) of each chunk, as far as they are whole."""
    place = len(PNG_START)
    while place + 8 <= len(data):
        (length,) = struct.unpack_from('>I', data, place)
        end = place + 12 + length
        yield data[place + 4 : place + 8], data[place + 8 : end - 4], data[place:end]
        place = end


def without_extras(data: bytes) -> bytes:
    """
    Return a PNG with what its pixels need alone: of the rest libpng would write lines of its own.

    :raises InputError: a checksum is wrong
    """
    parts = [PNG_START]
    for name, body, whole in chunks_of(data):
        is_palette = name == b'PLTE' and data[_KIND_AT] == _PALETTE_KIND
        if name not in _NEEDED and not is_palette:
            continue
        if zlib.crc32(name + body) != int.from_bytes(whole[-4:], 'big'):
            raise InputError(
                f'the PNG is damaged: the checksum of its part {name.decode("ascii")} is wrong'
            )
        parts.append(whole)
        if name == b'IEND':
            break
    return b''.join(parts)
