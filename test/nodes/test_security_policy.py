"""config/sros2_policy.xml grants each node what it uses, and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
import re
import socket
from typing import Any
from urllib.request import urlopen
from xml.etree import ElementTree

import pytest

pytest.importorskip('aiohttp', reason='the live view needs aiohttp (extra web)')
pytest.importorskip('rclpy', reason='no rclpy')

from espnet_ros.nodes.camera_source.node import CameraSourceNode
from espnet_ros.nodes.free_space.node import FreeSpaceNode
from espnet_ros.nodes.ros.topics import mask_remappings
from rclpy.node import Node
from ros_harness import Ros
from time_limits import message_limit_s

from ..conftest import ROOT

POLICY = ElementTree.parse(ROOT / 'config' / 'sros2_policy.xml')
NODES = ('camera_source', 'free_space', 'segmentation')
SOMETIMES = re.compile(
    r'/(clock|rosout|tf|tf_static|image_raw/compressed)|.*/(label_info|get_type_\w+)'
)
"""What only some configurations, distributions or installed packages have."""


def granted(node: str, tag: str, permission: str) -> set[str]:
    """Return the names that the policy grants a node, as the graph has them."""
    (enclave,) = POLICY.findall(f".//enclave[@path='/espnet_ros/{node}']")
    (profile,) = enclave.findall(f".//profile[@node='{node}'][@ns='/']")
    names = [str(e.text) for e in profile.findall(f"{tag}s[@{permission}='ALLOW']/{tag}")]
    assert len(set(names)) == len(names), 'a name twice'
    return {'/' + name.replace('~', node).lstrip('/') for name in names}


def used(node: Node) -> dict[tuple[str, str], set[str]]:
    """Return the names that a node uses, by tag and permission."""
    graph = {
        ('topic', 'publish'): node.get_publisher_names_and_types_by_node,
        ('topic', 'subscribe'): node.get_subscriber_names_and_types_by_node,
        ('service', 'reply'): node.get_service_names_and_types_by_node,
        ('service', 'request'): node.get_client_names_and_types_by_node,
    }
    return {key: {name for name, _ in look(node.get_name(), '/')} for key, look in graph.items()}


@pytest.fixture
def nodes(ros: Ros, segmentation: Callable[..., Any]) -> Iterator[dict[str, Node]]:
    """Return the nodes of a launch, everything on, while somebody looks at the page."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = int(free.getsockname()[1])
    rules = [word for rule in mask_remappings(['']).items() for word in ('-r', ':='.join(rule))]
    street = {'source': 'synthetic', 'size': [60, 80], 'rate_hz': 1.0}
    street |= {'transport': 'both', 'publish_labels': True}
    found = {
        'camera_source': ros.start(partial(CameraSourceNode, lambda _: None), street),
        'free_space': ros.start(FreeSpaceNode, {'use_confidence': True}, rules),
    }
    found['segmentation'] = segmentation(web__port=port)
    with urlopen(f'http://127.0.0.1:{port}/events', timeout=message_limit_s()):
        yield found


def test_every_node_may_do_what_it_does_and_no_more(ros: Ros, nodes: dict[str, Node]) -> None:
    assert tuple(sorted(nodes)) == NODES
    for name in ('free_space', 'segmentation'):
        ros.wait_until(lambda name=name: nodes[name].state == 'active', f'{name} to be active')
    # The last that a page has subscribed; the others were subscribed before.
    ros.wait_until(lambda: ros.probe.count_subscribers('/diagnostics') > 0, 'reader of statuses')
    for name, node in nodes.items():
        for key in used(node):
            allowed = granted(name, *key)
            needed = {other for other in allowed if not SOMETIMES.fullmatch(other)}
            # An entity is known before it is known whose it is.
            ros.wait_until(
                lambda node=node, key=key, needed=needed: needed <= used(node)[key],
                f'{name} to {key[1]} each of {sorted(needed)}',
            )
            assert used(node)[key] <= allowed, (name, *key)
