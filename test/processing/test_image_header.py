"""Sizes, pages and orientations of files before they are decoded, and silent decoding."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import struct
import zlib

import cv2
from espnet_ros.exceptions import InputError
from espnet_ros.processing.codecs import decode_image
from espnet_ros.processing.image_formats.header import read_header
import numpy as np
import pytest

IMAGE = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
SUFFIXES = ('.png', '.jpg', '.bmp', '.tiff', '.webp', '.jp2', '.ppm')


def encode(suffix: str, *options: int) -> bytes:
    return bytes(cv2.imencode(suffix, IMAGE, list(options))[1])


@pytest.mark.parametrize('suffix', SUFFIXES)
def test_every_format_tells_its_size(suffix: str) -> None:
    assert read_header(encode(suffix)).size == (40, 60)
    if suffix == '.webp':
        assert read_header(encode(suffix, cv2.IMWRITE_WEBP_QUALITY, 101)).size == (40, 60)


@pytest.mark.parametrize('suffix', SUFFIXES)
def test_headers_that_are_cut_off_or_damaged_are_no_crash(suffix: str) -> None:
    data = encode(suffix)
    rng = np.random.default_rng(1)
    for length in range(0, 120):
        read_header(data[:length])
        damaged = np.frombuffer(data, np.uint8).copy()
        damaged[rng.integers(0, min(len(data), 200), 4)] = rng.integers(0, 256, 4)
        read_header(bytes(damaged))


def huge_jpeg() -> bytes:
    data = bytearray(encode('.jpg'))
    struct.pack_into('>HH', data, data.index(b'\xff\xc0') + 5, 30000, 30000)
    return bytes(data)


def huge_tiff() -> bytes:
    entries = [(0x100, 4, 1, 30000), (0x101, 4, 1, 30000)]
    tags = b''.join(struct.pack('<HHII', *entry) for entry in entries)
    return b'II*\0' + struct.pack('<IH', 8, len(entries)) + tags + bytes(100)


def huge_pnm() -> bytes:
    return b'P6\n# made\n30000 30000\n255\n' + bytes(100)


@pytest.mark.parametrize('make', [huge_jpeg, huge_tiff, huge_pnm])
def test_giant_images_are_refused_before_they_are_decoded(make: Callable[[], bytes]) -> None:
    with pytest.raises(InputError, match='up to 134 million pixels, found 30000x30000'):
        decode_image(make())


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack('>I', len(body)) + name + body + struct.pack('>I', zlib.crc32(name + body))


@pytest.mark.parametrize(
    ('extra', 'is_good'),
    [
        (chunk(b'iCCP', b'x\0\0' + zlib.compress(b'junk' * 40)), True),
        (chunk(b'tIME', b'xx'), True),
        (chunk(b'gAMA', bytes(4)) + chunk(b'sRGB', b'\x09'), True),
        (chunk(b'IDAT', b'wrong')[:-1] + b'\0', False),
    ],
)
def test_what_libpng_complains_of_stays_off_standard_error(
    capfd: pytest.CaptureFixture[str], extra: bytes, is_good: bool
) -> None:
    data = encode('.png')
    data = data[:33] + extra + data[33:]
    if is_good:
        np.testing.assert_array_equal(decode_image(data), IMAGE)
    else:
        with pytest.raises(InputError, match='checksum of its part IDAT is wrong'):
            decode_image(data)
    assert capfd.readouterr().err == ''


def test_pages_are_counted(tmp_path: Path) -> None:
    path = tmp_path / 'pages.tiff'
    cv2.imwritemulti(str(path), [IMAGE, IMAGE, IMAGE])
    assert read_header(path.read_bytes()).pages == 3
    assert read_header(encode('.tiff')).pages == 1
