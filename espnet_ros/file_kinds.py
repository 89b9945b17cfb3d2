"""What a file is, by its first bytes, and what its name is good for."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
import re

from espnet_ros.exceptions import InputError

IMAGE_SUFFIXES = (
    '.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp', '.ppm', '.pgm', '.pbm', '.jp2',
)  # fmt: skip
"""Of the files of a folder that are images, wherever images are read."""

_HEAD_BYTES = 512


class FileKind(Enum):
    """
    What a file is.

    The value is in words, with the way on where there is one.
    """

    IMAGE = 'an image'
    VIDEO = 'a video'
    MCAP = 'a bag file (MCAP)'
    DB3 = 'a bag file (SQLite)'
    ROSBAG1 = 'a ROS 1 bag; convert it with: rosbags-convert --src FILE --dst FOLDER'
    ZSTD = 'a compressed file; of a bag name the folder, others unpack with: zstd -d FILE'
    ARCHIVE = 'a compressed file or an archive; unpack it first'
    TORCH = 'a checkpoint of PyTorch, or a zip archive'
    SAFETENSORS = 'safetensors, which are not read; export the network to ONNX'
    ONNX = 'an ONNX file'
    HEIF = 'an image in HEIF or AVIF, which is not read; convert it to JPEG'
    LFS_POINTER = 'a pointer of git-lfs in place of the file; get it with: git lfs pull'
    HTML = 'a page of HTML; the download led elsewhere'
    EMPTY = 'nothing: the file is empty'
    UNKNOWN = 'a file of another kind'


_PATTERNS = tuple(
    (kind, re.compile(pattern, re.DOTALL))
    for kind, pattern in (
        (FileKind.IMAGE, rb'\x89PNG\r\n|\xff\xd8\xff|BM.{12}|II\*\0|MM\0\*|RIFF....WEBP|P[1-6]\s'),
        (FileKind.IMAGE, rb'\0\0\0\x0cjP  |\xff\x4f\xff\x51'),
        (FileKind.HEIF, rb'....ftyp(heic|heix|hevc|mif1|msf1|avif)'),
        (
            FileKind.VIDEO,
            rb'....(ftyp|moov|mdat|wide|free|skip)|\x1a\x45\xdf\xa3|RIFF....AVI |OggS',
        ),
        (
            FileKind.VIDEO,
            rb'\0\0\x01[\xba\xb3]|\0\0\0?\x01[\x09\x67\x27\x40\x46]|FLV\x01|YUV4MPEG2',
        ),
        (FileKind.VIDEO, rb'\x30\x26\xb2\x75\x8e\x66\xcf\x11|GIF8[79]a|\x47.{187}\x47'),
        (FileKind.MCAP, rb'\x89MCAP'),
        (FileKind.DB3, rb'SQLite format 3\0'),
        (FileKind.ROSBAG1, rb'#ROSBAG V'),
        (FileKind.ZSTD, rb'\x28\xb5\x2f\xfd'),
        (FileKind.TORCH, rb'PK\x03\x04|\x80[\x02-\x05]'),
        (FileKind.ARCHIVE, rb'\x1f\x8b|BZh|\xfd7zXZ|.{257}ustar'),
        (FileKind.SAFETENSORS, rb'.{6}\0\0\{"'),
        (FileKind.LFS_POINTER, rb'version https://git-lfs'),
        (FileKind.HTML, rb'\s*<(?i:!doctype html|html|head)'),
        (FileKind.ONNX, rb'\x08[\x01-\x14][\x10-\x42]'),
        (FileKind.EMPTY, rb'\Z'),
    )
)
"""How files of each kind begin."""


def kind_of_data(data: bytes) -> FileKind:
    """Return what the content of a file is; its first 512 bytes tell."""
    head = data[:_HEAD_BYTES]
    for kind, pattern in _PATTERNS:
        if pattern.match(head):
            return kind
    return FileKind.UNKNOWN


def kind_of(path: Path) -> FileKind:
    """
    Return what a file is.

    :raises InputError: it cannot be read
    """
    try:
        with path.open('rb') as file:
            return kind_of_data(file.read(_HEAD_BYTES))
    except OSError as error:
        raise InputError(f'{path}: cannot be read ({error.strerror})') from error


def is_checkpoint(name_or_path: str | Path) -> bool:
    """Tell whether a model is given as a checkpoint of torch, whatever its name."""
    path = Path(name_or_path).expanduser()
    if path.is_file():
        return kind_of(path) is FileKind.TORCH
    return path.suffix.lower() in ('.pth', '.pt')


def check_utf8(path: Path, what: str = '') -> None:
    """
    Refuse a name that is not UTF-8: OpenCV crashes on it.

    :param what: the option that it was given with
    :raises InputError: it is not
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        shown = str(path).encode(errors='backslashreplace').decode()
        raise InputError(f'{what} {shown}: the name is not UTF-8; rename it'.strip()) from None
