"""How a case becomes nodes, a camera and topics that are heard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from espnet_ros.benchmark.node_case import FREE_SPACE, MAPS, MASK, NodeCase, SEGMENTATION
from espnet_ros.msg import InferenceStats
from espnet_ros.nodes.benchmark.camera import CameraPlan
from espnet_ros.nodes.launching.parts import street_mount
from espnet_ros.nodes.ros.topics import input_topic, mask_remappings
from nav_msgs.msg import OccupancyGrid
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, LaserScan

COSTMAP_TOPIC = f'{FREE_SPACE}/{MAPS[0]}'
POWER_TOPIC = f'{SEGMENTATION}/power'

_STREET_LABELS = 'camvid'
"""What the ids of the street's masks mean, which nobody publishes where free_space is alone."""

_KINDS: Mapping[str, type] = {
    'mask/compressed': CompressedImage,
    'overlay/compressed': CompressedImage,
    'camera_info': CameraInfo,
    'stats': InferenceStats,
    'costmap': OccupancyGrid,
    'scan': LaserScan,
}
"""Message type of outputs; the others are images."""


@dataclass(frozen=True)
class NodeSetup:
    """
    A node to be run.

    :param remappings: by topic, namespace included
    """

    name: str
    parameters: Mapping[str, object]
    remappings: Mapping[str, str]

    @property
    def executable(self) -> str:
        """Return it as :command:`ros2 run` names it."""
        return f'{self.name}_node'


def plan_camera(case: NodeCase, namespace: str) -> CameraPlan:
    return CameraPlan(
        namespace,
        case.camera_names,
        case.camera_rate_hz,
        plays_masks=not case.has_segmentation,
        has_info=case.has_free_space or 'camera_info' in case.heard,
        image_path=case.image_path,
        image_size=case.image_size,
    )


def mask_topic(camera: str) -> str:
    return f'{SEGMENTATION}/{input_topic(camera, MASK)}'


def heard_topics(case: NodeCase) -> dict[str, type]:
    """Return the message type by topic of what the observer listens to, masks first."""
    topics = {
        f'{SEGMENTATION}/{input_topic(camera, output)}': output
        for output in case.heard
        for camera in case.camera_names
    }
    if case.has_free_space:
        topics |= {f'{FREE_SPACE}/{output}': output for output in MAPS}
    return {topic: _KINDS.get(output, Image) for topic, output in topics.items()}


def set_up_nodes(case: NodeCase, namespace: str) -> list[NodeSetup]:
    shared: dict[str, object] = {}
    if case.cameras > 1:
        shared['cameras'] = list(case.camera_names)
    nodes = []
    if case.has_segmentation:
        parameters = {**case.parameters, **shared}
        if case.device_latency_ms is not None:
            parameters |= {'runtime': 'fake', 'fake.latency_ms': case.device_latency_ms}
        nodes.append(NodeSetup(SEGMENTATION, parameters, {'__ns': f'/{namespace}'}))
    if case.has_free_space:
        parameters = {**street_mount(), **shared}
        if not case.has_segmentation:
            parameters['label_set'] = _STREET_LABELS
        if case.device_latency_ms is not None:  # the stand-in knows nothing of the horizon
            parameters['max_horizon_conflict'] = 1.0
        nodes.append(NodeSetup(FREE_SPACE, parameters, _free_space_topics(case, namespace)))
    return nodes


def _free_space_topics(case: NodeCase, namespace: str) -> dict[str, str]:
    read = mask_remappings(case.camera_names) if case.has_segmentation else {}
    return {'__ns': f'/{namespace}', **read}
