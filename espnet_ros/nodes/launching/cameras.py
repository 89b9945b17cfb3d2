"""The cameras of a launch, and the topics that each of them has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from espnet_ros.exceptions import ConfigError
from espnet_ros.nodes.ros.topics import check_camera_names, input_topic

NAME = '{camera}'


@dataclass(frozen=True)
class CameraTopics:
    """
    Where a camera's images and calibration are.

    :param name: of the camera, empty for the only one
    """

    name: str
    image: str
    info: str

    def remappings(self) -> tuple[tuple[str, str], ...]:
        """Return the rules that lead a node's inputs there."""
        return (
            (input_topic(self.name, 'image_raw'), self.image),
            (input_topic(self.name, 'image_raw/compressed'), f'{self.image}/compressed'),
            (input_topic(self.name, 'camera_info'), self.info),
        )


def parse_cameras(text: str) -> list[str]:
    """
    Return the camera names in ``front,left``; none where it is empty.

    :raises ConfigError: topics cannot be named after them
    """
    if not text.strip():
        return []
    names = [name.strip() for name in text.strip().strip('[]').split(',')]
    check_camera_names(names)
    return names


def camera_topics(
    cameras: Sequence[str], image_topic: str, info_topic: str
) -> tuple[CameraTopics, ...]:
    """
    Return the topics of every camera.

    :param cameras: their names; one empty name is a single camera
    :param image_topic: or a pattern with ``{camera}``; empty for the node's own name
    :param info_topic: likewise; empty for the one beside the images
    :raises ConfigError: several cameras would share a topic
    """
    found = []
    for camera in cameras:
        own = input_topic(NAME if camera else '', 'image_raw')
        image = fill_in('image_topic', image_topic or own, camera, cameras)
        info = fill_in('camera_info_topic', info_topic, camera, cameras) if info_topic else ''
        found.append(CameraTopics(camera, image, info or info_topic_beside(image)))
    return tuple(found)


def info_topic_beside(image_topic: str) -> str:
    """Return where drivers publish the calibration of images, as image_transport takes it."""
    namespace, slash, _ = image_topic.rpartition('/')
    return f'{namespace}{slash}camera_info'


def fill_in(argument: str, pattern: str, camera: str, cameras: Sequence[str]) -> str:
    """
    Return a pattern with the name of a camera in it.

    :raises ConfigError: the pattern and the cameras do not fit each other
    """
    if NAME in pattern and not camera:
        raise ConfigError(
            f'{argument}: expected a name without {NAME}, as there is one camera without a name, '
            f'found {pattern}; name the cameras with cameras:=front,left'
        )
    if NAME not in pattern and len(cameras) > 1:
        raise ConfigError(
            f'{argument}: expected {NAME} in it, which stands for each of '
            f'{", ".join(cameras)}, found {pattern}'
        )
    return pattern.replace(NAME, camera)
