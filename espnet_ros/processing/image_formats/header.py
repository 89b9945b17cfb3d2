"""What image files say of themselves before they are decoded: size, pages, orientation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
import re
import struct
import zlib

from espnet_ros.exceptions import InputError

_NO_SIZE_SOF = (0xC4, 0xC8, 0xCC)
"""Markers among those of JPEG frames that are none."""

_WIDTH, _HEIGHT, _ORIENTATION = 0x100, 0x101, 0x112
_MAX_PAGES = 10000
_MAX_TAGS = 4096


@dataclass(frozen=True)
class ImageHeader:
    """
    What a file says before its pixels.

    :param size: (height, width) in pixels as stored, or None where it is not known
    :param pages: how many images are in it; only the first is read
    :param orientation: of EXIF, 1 to 8; 1 is upright
    """

    size: tuple[int, int] | None
    pages: int = 1
    orientation: int = 1


def read_header(data: bytes) -> ImageHeader:
    """Return what the beginning of an image file says; nothing where it is damaged or unknown."""
    readers = (
        (b'\xff\xd8', _read_jpeg),
        (b'\x89PNG\r\n\x1a\n', _read_png),
        (b'BM', _read_bmp),
        (b'II*\0', _read_tiff),
        (b'MM\0*', _read_tiff),
        (b'RIFF', _read_webp),
        (b'\0\0\0\x0cjP', _read_jp2),
        (b'P', _read_pnm),
    )
    for start, read in readers:
        if data.startswith(start):
            try:
                return read(data)
            except (IndexError, struct.error, ValueError):
                break
    return ImageHeader(None)


def _read_jpeg(data: bytes) -> ImageHeader:
    at, orientation = 2, 1
    while (at := data.find(b'\xff', at)) >= 0 and at + 4 <= len(data):
        code = data[at + 1]
        if code in (0x00, 0x01, 0xFF) or 0xD0 <= code <= 0xD8:
            at += 1
            continue
        if 0xC0 <= code <= 0xCF and code not in _NO_SIZE_SOF:
            height, width = struct.unpack_from('>HH', data, at + 5)
            return ImageHeader((height, width), 1, orientation)
        if code in (0xD9, 0xDA):
            break
        if code == 0xE1 and data[at + 4 : at + 10] == b'Exif\0\0':
            orientation = _find_orientation(data[at + 10 : at + 65536])
        at += 2 + int.from_bytes(data[at + 2 : at + 4], 'big')
    return ImageHeader(None, 1, orientation)


def _read_png(data: bytes) -> ImageHeader:
    width, height = struct.unpack_from('>II', data, 16)
    exif = data.find(b'eXIf', 0, 1 << 16)
    found = _find_orientation(data[exif + 4 : exif + 65536]) if exif > 0 else 1
    return ImageHeader((height, width), 1, found)


def _read_bmp(data: bytes) -> ImageHeader:
    width, height = struct.unpack_from('<ii', data, 18)
    return ImageHeader((abs(height), width))


def _read_tiff(data: bytes) -> ImageHeader:
    pages = list(_tiff_pages(data))
    first = pages[0]
    size = (first[_HEIGHT], first[_WIDTH]) if _HEIGHT in first and _WIDTH in first else None
    # Small copies of the first page are marked so (NewSubfileType 1).
    whole = sum(not page.get(0xFE, 0) & 1 for page in pages)
    return ImageHeader(size, max(whole, 1), _checked(first.get(_ORIENTATION, 1)))


def _read_webp(data: bytes) -> ImageHeader:
    kind = data[12:16]
    if kind == b'VP8X':
        width = int.from_bytes(data[24:27], 'little') + 1
        height = int.from_bytes(data[27:30], 'little') + 1
        return ImageHeader((height, width), max(len(re.findall(b'ANMF', data)), 1))
    if kind == b'VP8L':
        bits = int.from_bytes(data[21:25], 'little')
        return ImageHeader(((bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1))
    if kind == b'VP8 ':
        width, height = struct.unpack_from('<HH', data, 26)
        return ImageHeader((height & 0x3FFF, width & 0x3FFF))
    return ImageHeader(None)


def _read_jp2(data: bytes) -> ImageHeader:
    at = data.index(b'ihdr', 0, 4096)
    height, width = struct.unpack_from('>II', data, at + 4)
    return ImageHeader((height, width))


def _read_pnm(data: bytes) -> ImageHeader:
    words = re.sub(rb'#[^\n]*', b'', data[:4096]).split(None, 3)
    return ImageHeader((int(words[2]), int(words[1])))


def _find_orientation(exif: bytes) -> int:
    try:
        return _checked(next(_tiff_pages(exif), {}).get(_ORIENTATION, 1))
    except (struct.error, ValueError):
        return 1


def _checked(orientation: int) -> int:
    return orientation if 1 <= orientation <= 8 else 1


def _tiff_pages(data: bytes) -> Iterator[dict[int, int]]:
    """Give the whole numbers among the tags of each page."""
    order = '<' if data[:2] == b'II' else '>'
    (at,) = struct.unpack_from(f'{order}I', data, 4)
    seen: set[int] = set()
    while at and at not in seen and len(seen) < _MAX_PAGES:
        seen.add(at)
        (count,) = struct.unpack_from(f'{order}H', data, at)
        tags = {}
        for place in range(at + 2, at + 2 + 12 * min(count, _MAX_TAGS), 12):
            tag, kind, _ = struct.unpack_from(f'{order}HHI', data, place)
            if kind in (3, 4):
                (tags[tag],) = struct.unpack_from(
                    f'{order}{"H" if kind == 3 else "I"}', data, place + 8
                )
        yield tags
        end = at + 2 + 12 * count
        at = struct.unpack_from(f'{order}I', data, end)[0] if end + 4 <= len(data) else 0


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
