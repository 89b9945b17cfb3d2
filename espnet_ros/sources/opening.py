"""From what a user types to a source."""

from __future__ import annotations

import math
import os
from pathlib import Path

import cv2
from espnet_ros.exceptions import ConfigError, InputError
from espnet_ros.file_kinds import FileKind, kind_of
from espnet_ros.sources.base import Source
from espnet_ros.sources.images import ImageFilesSource, open_folder
from espnet_ros.sources.street import StreetSource
from espnet_ros.sources.street.source import RATE_HZ, SIZE
from espnet_ros.sources.video import VideoSource
from espnet_ros.sources.webcam import webcam_index, WebcamSource

SYNTHETIC = 'synthetic'

_BAG_SUFFIXES = ('.mcap', '.db3')
_BAG_ENDINGS = (*_BAG_SUFFIXES, *(f'{suffix}.zstd' for suffix in _BAG_SUFFIXES))


def open_source(
    spec: str,
    *,
    loop: bool = False,
    rate_hz: float | None = None,
    size: tuple[int, int] | None = None,
    seed: int = 0,
    camera_info_topic: str = '',
    bit_depth: int = 16,
) -> Source:
    """
    Open a source of images.

    A file or folder that is called like a webcam or ``synthetic`` is reached with ``./``
    before its name.

    :param spec: path of a video, an image or a folder of images; path of a bag, with the topic
        behind it where several hold images (``drive_bag:/front/image_raw``); number or device
        of a webcam (``0``, ``/dev/video0``); or ``synthetic`` for the synthetic street
    :param rate_hz: frames per second at which files are played, the synthetic street moves, and
        a webcam is requested to give images; None takes the source's own
    :param size: (height, width) of the synthetic street, or to request of a webcam; None takes
        the source's own. Files have a size of their own and take none.
    :param seed: which synthetic street
    :param camera_info_topic: topic of a bag that the calibrations of its images are on; empty
        takes camera_info beside the image topic. Other sources take none.
    :param bit_depth: bits that count in images of 16 bits, of files and bags, 8 to 16
    :raises ConfigError: the spec is empty
    :raises InputError: there is nothing to be opened, or a rate, size or topic makes no sense
    """
    if not spec:
        raise ConfigError('expected a source of images, found an empty argument')
    silence_opencv()
    _check_rate(rate_hz)
    path, topic = split_topic(spec)
    if camera_info_topic and not _is_bag(path):
        raise InputError(
            f'{spec}: camera_info_topic names a topic of a bag, and this is none; leave it empty'
        )
    if spec == SYNTHETIC:
        return StreetSource(size=size or SIZE, rate_hz=rate_hz or RATE_HZ, seed=seed)
    index = webcam_index(spec)
    if index is not None:
        return WebcamSource(index, rate_hz=rate_hz, size=size)
    if size is not None:
        raise InputError(
            f'{spec}: files have a size of their own; only a webcam and the synthetic street '
            'take one'
        )
    if _is_bag(path):
        return _open_bag(
            path,
            topic,
            loop=loop,
            rate_hz=rate_hz,
            camera_info_topic=camera_info_topic,
            bit_depth=bit_depth,
        )
    return _open_files(path, loop, rate_hz, bit_depth)


def split_topic(spec: str) -> tuple[Path, str]:
    """Return the path of a source and, where it is ``BAG:TOPIC``, the topic, else nothing."""
    bag, _, topic = spec.rpartition(':')
    path = Path(bag).expanduser()
    if bag and topic and _is_bag(path):
        return path, topic
    return Path(spec).expanduser(), ''


def _is_bag(path: Path) -> bool:
    """Return whether a path is a bag that ROS 2 recorded: one of its files, or their folder."""
    if path.is_dir():
        return any(True for ending in _BAG_ENDINGS for _ in path.glob(f'*{ending}'))
    if not path.is_file():
        return False
    return path.suffix in _BAG_SUFFIXES or kind_of(path) in (FileKind.MCAP, FileKind.DB3)


def _open_bag(
    path: Path,
    topic: str,
    *,
    loop: bool,
    rate_hz: float | None,
    camera_info_topic: str,
    bit_depth: int,
) -> Source:
    try:
        from espnet_ros.sources.bag import BagSource  # noqa: PLC0415  (rosbags may be missing)
    except ModuleNotFoundError as error:
        raise InputError(
            f'{path}: bags are read with {error.name}, which is not installed: pip install rosbags'
        ) from error
    return BagSource(
        path,
        topic=topic,
        loop=loop,
        rate_hz=rate_hz,
        camera_info_topic=camera_info_topic,
        bit_depth=bit_depth,
    )


def _open_files(path: Path, loop: bool, rate_hz: float | None, bit_depth: int) -> Source:
    if path.is_dir():
        return open_folder(path, loop=loop, rate_hz=rate_hz, bit_depth=bit_depth)
    if not path.exists():
        raise InputError(
            f'{path}: no such file or folder; expected a video, an image, a folder of images, '
            f'a bag, the number of a webcam, or "{SYNTHETIC}"'
        )
    kind = kind_of(path)
    if kind is FileKind.IMAGE:
        return ImageFilesSource(
            str(path), (path,), loop=loop, rate_hz=rate_hz, bit_depth=bit_depth
        )
    if kind is FileKind.VIDEO:
        return VideoSource(path, loop=loop, rate_hz=rate_hz)
    raise InputError(f'{path}: expected an image, a video or a bag of ROS 2, found {kind.value}')


def _check_rate(rate_hz: float | None) -> None:
    if rate_hz is not None and not (math.isfinite(rate_hz) and rate_hz > 0):
        raise InputError(f'rate: expected frames per second above 0, found {rate_hz:g}')


def image_topics(spec: str) -> list[str]:
    """
    Return the topics of pictures of a bag with several that is named without one, else none.

    :raises InputError: it cannot be read
    """
    path, topic = split_topic(spec)
    if topic or not _is_bag(path):
        return []
    try:
        from espnet_ros.sources.bag_reader import open_bag  # noqa: PLC0415
        from espnet_ros.sources.bag_topics import picture_topics  # noqa: PLC0415
    except ModuleNotFoundError:
        return []
    with open_bag(path) as bag:
        return picture_topics(bag)


def silence_opencv() -> None:
    """
    Keep OpenCV and FFmpeg from writing to standard error.

    They write a line of their own wherever a file or device cannot be read, next to the error
    that this package raises with the path and what to do. Whoever sets ``OPENCV_LOG_LEVEL`` or
    ``OPENCV_FFMPEG_LOGLEVEL`` gets their messages.
    """
    logging = getattr(cv2.utils, 'logging', None)  # since 4.7; Ubuntu 22.04 has 4.5
    if 'OPENCV_LOG_LEVEL' not in os.environ and logging is not None:
        logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')
