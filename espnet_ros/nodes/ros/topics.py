"""The names of the topics, with the camera's name before them where there are several."""

from __future__ import annotations

from collections.abc import Sequence
import re
from typing import TYPE_CHECKING

from espnet_ros.exceptions import ConfigError

if TYPE_CHECKING:
    from rclpy.node import Node

_CAMERA_NAME = re.compile(r'[A-Za-z][A-Za-z0-9_]*')

MASK_TOPICS = ('mask', 'confidence', 'camera_info', 'label_info', 'label_set')
"""What a free space node takes from the segmentation node, for each camera."""


def check_camera_names(names: Sequence[str]) -> None:
    """
    Check that topics can be named after the cameras.

    :param names: camera names; one empty name is a single camera
    :raises ConfigError: a name that topics cannot have, or one twice
    """
    if list(names) == ['']:
        return
    bad = [name for name in names if not _CAMERA_NAME.fullmatch(name)]
    if not names or bad or len(set(names)) < len(names):
        raise ConfigError(
            'cameras: expected different names of letters, digits and underscores that begin '
            f'with a letter, found {", ".join(repr(name) for name in names) or "none"}'
        )


def input_topic(camera: str, name: str) -> str:
    """Return for example ``image_raw`` or ``front/image_raw``."""
    return f'{camera}/{name}' if camera else name


def image_topic(node: Node, camera: str, transport: str) -> str:
    """
    Return the topic that a camera's images come on, as it is passed to rclpy.

    :param transport: raw or compressed
    """
    topic = input_topic(camera, 'image_raw')
    return compressed_topic(node, topic) if transport == 'compressed' else topic


def mask_remappings(cameras: Sequence[str]) -> dict[str, str]:
    """Return how a free space node reads what ``segmentation`` publishes for its cameras."""
    return {
        input_topic(camera, kind): f'segmentation/{input_topic(camera, kind)}'
        for camera in cameras
        for kind in MASK_TOPICS
    }


def output_topic(camera: str, name: str) -> str:
    """Return for example ``~/mask`` or ``~/front/mask``."""
    return f'~/{input_topic(camera, name)}'


def compressed_topic(node: Node, topic: str) -> str:
    """
    Return the topic of the compressed form of an image topic.

    It follows the image topic where that is remapped, as image_transport's does; a
    remapping of its own comes first.
    """
    compressed = f'{topic}/compressed'
    expanded: str = node.resolve_topic_name(compressed, only_expand=True)
    if node.resolve_topic_name(compressed) != expanded:
        return compressed
    return f'{node.resolve_topic_name(topic)}/compressed'
