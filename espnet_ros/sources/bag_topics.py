"""Which topics of a bag are played: the images, and the calibrations that belong to them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
import logging
from pathlib import Path

from espnet_ros.exceptions import InputError
from espnet_ros.sources.bag_reader import Bag, CALIBRATION_TYPE, COMPRESSED_TYPE, IMAGE_TYPES

_log = logging.getLogger(__name__)


def choose_images(path: Path, bag: Bag, requested: str) -> str:
    """
    Return the topic of the images.

    :param requested: which one; may be empty where one alone holds images
    :raises InputError: there is none, several to choose from, or not the one that is requested
    """
    counts = bag.counts(IMAGE_TYPES)
    found = _listed(counts)
    if not counts:
        raise InputError(
            f'{path}: expected a bag with messages of sensor_msgs/Image or CompressedImage, '
            f'found none on its {bag.topic_count} topics'
        )
    if requested:
        topic = f'/{requested.lstrip("/")}'
        if topic not in counts:
            raise InputError(f'{path}: no images on topic {topic}; expected one of {found}')
        return topic
    if len(counts) > 1:
        raise InputError(
            f'{path}: expected one topic with images, found {found}; name one, as in '
            f'{path}:{next(iter(counts))}'
        )
    return next(iter(counts))


def picture_topics(bag: Bag) -> list[str]:
    """
    Return the topics of a bag with several topics of images, none where it has one.

    Topics of depth images (REP 118) are left out where others hold pictures.
    """
    topics = list(bag.counts(IMAGE_TYPES))
    if len(topics) < 2:
        return []
    depth = [topic for topic in topics if _is_depth(bag, topic)]
    if not depth or len(depth) == len(topics):
        return topics
    _tell_depth(', '.join(depth))
    return [topic for topic in topics if topic not in depth]


def _is_depth(bag: Bag, topic: str) -> bool:
    try:
        image = next(bag.records(topic)).read_image()
    except (InputError, StopIteration):
        return False
    if image.is_compressed:
        return 'compresseddepth' in image.message.format.lower()
    # Some thermal cameras send 16UC1 too.
    encoding = image.message.encoding
    return encoding == '32FC1' or (encoding == '16UC1' and 'depth' in topic)


@lru_cache(maxsize=64)
def _tell_depth(topics: str) -> None:
    """Log once, not for each bag."""
    _log.warning('left out, as they hold depth images: %s (BAG:TOPIC takes one)', topics)


def choose_calibrations(path: Path, bag: Bag, images: str, requested: str) -> str:
    """
    Return the topic of the calibrations, or nothing where there is none.

    :param requested: which one; empty takes camera_info beside the images
    :raises InputError: the topic that is requested is not in the bag
    """
    counts = bag.counts((CALIBRATION_TYPE,))
    found = _listed(counts) or 'none'
    if requested:
        topic = f'/{requested.lstrip("/")}'
        if topic not in counts:
            raise InputError(f'{path}: no camera_info on topic {topic}; expected one of {found}')
        return topic
    # As image_transport names it: beside the image, without the transport behind its name.
    if images in bag.counts((COMPRESSED_TYPE,)):
        images = images.removesuffix('/compressed')
    topic = f'{images.rpartition("/")[0]}/camera_info'
    if topic in counts:
        return topic
    if counts:
        _log.info(
            '%s: no camera_info beside the images, on %s; camera_info_topic may name one of %s',
            path, topic, found,
        )  # fmt: skip
    return ''


def _listed(counts: Mapping[str, int]) -> str:
    return ', '.join(f'{name} ({count})' for name, count in counts.items())
