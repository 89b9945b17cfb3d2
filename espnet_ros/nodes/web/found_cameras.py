"""Which segmentation nodes there are in this domain, and what their cameras publish on."""

from __future__ import annotations

from dataclasses import dataclass

from rclpy.node import Node

_LABEL_SET = 'espnet_ros/msg/LabelSet'
_IMAGES = {'sensor_msgs/msg/Image': False, 'sensor_msgs/msg/CompressedImage': True}


@dataclass(frozen=True)
class FoundCamera:
    """
    A camera of a segmentation node.

    :param base: what its topics begin with, as /segmentation or /segmentation/front
    :param node: full name of the node
    :param image_topic: of its images, empty where that is not known
    """

    base: str
    node: str
    image_topic: str = ''
    is_compressed: bool = False

    @property
    def name(self) -> str:
        return self.base.strip('/')


def find_cameras(node: Node) -> tuple[FoundCamera, ...]:
    """Return the cameras of all segmentation nodes that can be seen now, in order."""
    found = []
    for topic, types in sorted(node.get_topic_names_and_types()):
        base, _, last = topic.rpartition('/')
        if last != 'label_set' or _LABEL_SET not in types:
            continue
        for publisher in node.get_publishers_info_by_topic(topic)[:1]:
            namespace = publisher.node_namespace.rstrip('/')
            owner = f'{namespace}/{publisher.node_name}'
            image = _find_image(node, publisher.node_name, publisher.node_namespace, base, owner)
            found.append(FoundCamera(base, owner, *image))
    return tuple(found)


def _find_image(node: Node, name: str, namespace: str, base: str, owner: str) -> tuple[str, bool]:
    """Return the topic of a camera's images, which its node subscribes, and whether compressed."""
    try:
        taken = node.get_subscriber_names_and_types_by_node(name, namespace)
    except RuntimeError:  # rclpy's NodeNameNonExistentError: it ended meanwhile
        return '', False
    topics = {topic: _IMAGES[kind] for topic, kinds in taken for kind in kinds if kind in _IMAGES}
    camera = base.removeprefix(owner).strip('/')
    own = [topic for topic in topics if camera in topic.split('/')] if camera else list(topics)
    if len(own) != 1:
        return '', False
    topic, is_compressed = own[0], topics[own[0]]
    beside = f'{topic}/compressed'
    if not is_compressed and node.count_publishers(beside):
        return beside, True  # less to carry to another machine
    return topic, is_compressed
