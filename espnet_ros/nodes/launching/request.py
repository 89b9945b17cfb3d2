"""What a launch is to do: its arguments, and what the parameter files say beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from espnet_ros.config import FreeSpaceSettings, LaunchSettings, SegmentationNodeSettings
from espnet_ros.nodes.launching.cameras import camera_topics, CameraTopics, parse_cameras
from espnet_ros.nodes.launching.parameter_rules import ParameterRules, read_parameter_rules
from espnet_ros.settings import list_settings

SEGMENTATION = 'segmentation'
FREE_SPACE = 'free_space'


@dataclass(frozen=True)
class NodeFile:
    """
    The parameter file of a node.

    :param argument: of the launch that names it
    """

    argument: str
    rules: ParameterRules
    node: str
    settings: type

    def value(self, name: str) -> Any:
        """
        Return what a parameter will be, if nothing else sets it.

        :raises ConfigError: the file sets what is not allowed
        """
        entry = next(e for e in list_settings(self.settings) if e.name == name)
        value = self.rules.of_node(self.node).get(name)
        # An empty list has no type in ROS 2 and leaves the default, as nothing does.
        return entry.default if value is None or value == [] else entry.check(value)

    @property
    def warning(self) -> str:
        """Return what is strange about it, or nothing."""
        if self.rules.names_node(self.node):
            return ''
        found = ', '.join(name for name, _ in self.rules.rules)
        return f'{self.argument}: {self.rules.path}: nothing in it is for {self.node}, but {found}'


@dataclass(frozen=True)
class LaunchRequest:
    """
    What a launch is to do.

    :param files: by the name of the node; the free space node has one where it is wanted
    """

    settings: LaunchSettings
    share: Path
    topics: tuple[CameraTopics, ...]
    files: Mapping[str, NodeFile]

    @property
    def cameras(self) -> tuple[str, ...]:
        """Return the names of the cameras; one empty name is a single camera."""
        return tuple(topics.name for topics in self.topics)

    @property
    def model(self) -> str:
        return str(self.settings.model or self.files[SEGMENTATION].value('model'))


def read_request(settings: LaunchSettings, share: Path, base_namespace: str) -> LaunchRequest:
    """
    Read the parameter files that the arguments name.

    :param base_namespace: of the launch file that includes ours
    :raises ConfigError: a file cannot be used, or cameras and topics do not fit each other
    """

    def read(argument: str, node: str, cls: type) -> NodeFile:
        path = getattr(settings, argument) or share / 'config' / f'{node}.yaml'
        name = full_name(base_namespace, settings.namespace, node)
        return NodeFile(argument, read_parameter_rules(argument, path), name, cls)

    files = {SEGMENTATION: read('params_file', SEGMENTATION, SegmentationNodeSettings)}
    if settings.free_space and not settings.build_only:
        files[FREE_SPACE] = read('free_space_params_file', FREE_SPACE, FreeSpaceSettings)
    cameras = parse_cameras(settings.cameras) or files[SEGMENTATION].value('cameras')
    topics = camera_topics(cameras, settings.image_topic, settings.camera_info_topic)
    return LaunchRequest(settings, share, topics, files)


def full_name(base_namespace: str, namespace: str, node: str) -> str:
    """Return the name of a node below its namespaces, of which an absolute one stands alone."""
    above = namespace if namespace.startswith('/') else f'{base_namespace}/{namespace}'
    return '/'.join(['', *filter(None, above.split('/')), node])
