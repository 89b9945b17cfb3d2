"""
What a sequential JPEG of one scan says of itself: its size, its data and their markers.

After ITU-T T.81, annex B.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from espnet_ros.exceptions import InputError
import numpy as np
from numpy.typing import NDArray

START = b'\xff\xd8'
SCAN = b'\xff\xda'
END = b'\xff\xd9'

_SEQUENTIAL = (0xC0, 0xC1)
_TABLES, _INTERVAL, _SCAN_CODE, _END_CODE = 0xC4, 0xDD, 0xDA, 0xD9
_FIRST_RESTART = 0xD0
_BARE = (0x00, 0x01, *range(0xD0, 0xD9), 0xFF)
"""What may follow 0xff without a length behind it: stuffing, fill bytes, markers alone."""

_TEXTS = (*range(0xE0, 0xF0), 0xFE)
"""Application data and comments, which some cameras put before the end marker."""


class JpegFrame(NamedTuple):
    """
    What the frame header says; an MCU is the unit of blocks that a scan is made of.

    :param at: where in the file its height and width stand, two bytes each
    :param height: pixels
    :param width: pixels
    :param components: 1, 3 or 4
    :param mcu_height: pixels
    :param mcu_width: pixels
    :param mcu_blocks: blocks of 8x8 samples, all components
    """

    at: int
    height: int
    width: int
    components: int
    mcu_height: int
    mcu_width: int
    mcu_blocks: int

    @property
    def mcu_columns(self) -> int:
        return -(-self.width // self.mcu_width)

    @property
    def mcu_count(self) -> int:
        return self.mcu_columns * -(-self.height // self.mcu_height)


@dataclass(frozen=True, eq=False)
class JpegStream:
    """
    A sequential JPEG of one scan.

    :param file: its bytes
    :param frame: its frame header
    :param interval: MCUs between two restart markers; 0 for none
    :param interval_at: where in the file this stands
    :param has_zero_runs: whether flat areas are runs of zeros, as the shortest code of the
        first component's coefficients is the end of a block
    :param start: where its entropy-coded data start
    """

    file: bytes
    frame: JpegFrame
    interval: int
    interval_at: int
    has_zero_runs: bool
    start: int

    def find_markers(self) -> tuple[int, list[int]]:
        """
        Return where the entropy-coded data end, and where their restart markers are.

        :raises InputError: there is no end, other markers are there, or a restart marker is not
        """
        values = np.frombuffer(self.file, np.uint8)[self.start :]
        at = np.flatnonzero(values[:-1] == 0xFF)
        codes = values[at + 1]
        is_marker = (codes != 0x00) & (codes != 0xFF)
        at, codes = at[is_marker] + self.start, codes[is_marker]
        others = np.flatnonzero(codes & 0xF8 != _FIRST_RESTART)
        if not others.size:
            raise cut_off(self.file)
        count = int(others[0])
        end = int(at[count])
        if not _is_end(self.file, end):
            raise damaged(f'marker 0xff{codes[count]:02x} lies among its data, at byte {end}')
        return end, at[: self._check_restarts(codes[:count])].tolist()

    def _check_restarts(self, codes: NDArray[np.uint8]) -> int:
        """Return how many restart markers there must be; some scanners write more of them."""
        count = (self.frame.mcu_count - 1) // self.interval if self.interval else 0
        wanted = _FIRST_RESTART + np.arange(count) % 8
        if (codes.size and not count) or not np.array_equal(codes[:count], wanted):
            raise damaged(
                f'expected {count} restart markers in their order among its data, '
                f'found {codes.size}'
            )
        return count


def read_stream(file: bytes) -> JpegStream | None:
    """
    Read the header of a JPEG, up to the first scan.

    :return: None where it is no sequential JPEG of one scan with 8 bits a sample
    :raises InputError: it is cut off before its first scan
    """
    frame, interval, interval_at = None, 0, 0
    zero_codes: dict[int, int] = {}
    at = len(START)
    while (at := file.find(b'\xff', at)) >= 0 and at + 4 <= len(file):
        code = file[at + 1]
        if code in _BARE:
            at += 1
            continue
        next_at = at + 2 + int.from_bytes(file[at + 2 : at + 4], 'big')
        content = file[at + 4 : next_at]
        if code == _END_CODE:
            return None
        if code in _SEQUENTIAL:
            frame = _read_frame(content, at + 5)
        elif code == _TABLES:
            zero_codes |= _read_zero_codes(content)
        elif code == _INTERVAL:
            interval, interval_at = int.from_bytes(content[:2], 'big'), at + 4
        elif code == _SCAN_CODE:
            if frame is None or len(content) < 3 or content[0] != frame.components:
                return None
            has_zero_runs = zero_codes.get(0x10 | content[2] & 0x0F) == 0
            return JpegStream(file, frame, interval, interval_at, has_zero_runs, next_at)
        at = next_at
    raise cut_off(file)


def cut_off(file: bytes) -> InputError:
    """Return the error of a file without its end."""
    return InputError(f'the image is cut off after {len(file)} bytes; its end is missing')


def damaged(reason: str) -> InputError:
    """Return the error of a file whose data cannot be right."""
    return InputError(f'the JPEG is damaged: {reason}')


def _read_frame(content: bytes, at: int) -> JpegFrame | None:
    components = content[5] if len(content) > 5 else 0
    factors = [(byte >> 4, byte & 0x0F) for byte in content[7 : 6 + 3 * components : 3]]
    height, width = (int.from_bytes(content[i : i + 2], 'big') for i in (1, 3))
    if (
        content[:1] != b'\x08'
        or components not in (1, 3, 4)
        or len(factors) != components
        or not all(horizontal and vertical for horizontal, vertical in factors)
        or not (height and width)
    ):
        return None
    if components == 1:
        factors = [(1, 1)]
    mcu_width, mcu_height = (8 * max(sizes) for sizes in zip(*factors, strict=True))
    blocks = sum(horizontal * vertical for horizontal, vertical in factors)
    return JpegFrame(at, height, width, components, mcu_height, mcu_width, blocks)


def _read_zero_codes(content: bytes) -> dict[int, int]:
    """Return which symbol a code of zeros is, by Huffman table: the first one of each."""
    symbols, at = {}, 0
    while at + 17 < len(content):
        symbols[content[at]] = content[at + 17]
        at += 17 + sum(content[at + 1 : at + 17])
    return symbols


def _is_end(file: bytes, at: int) -> bool:
    """Return whether at a marker the image ends: there, or after texts."""
    while file[at : at + 1] == b'\xff' and at + 4 <= len(file) and file[at + 1] in _TEXTS:
        at += 2 + int.from_bytes(file[at + 2 : at + 4], 'big')
    return file[at : at + 2] == END
