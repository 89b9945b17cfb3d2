"""The topics of the documentation are those of the node."""

from __future__ import annotations

from collections.abc import Callable
import re
from typing import Any
from xml.etree import ElementTree

from ..conftest import ROOT


def test_topic_table_is_that_of_the_node(ros: Any, segmentation: Callable[..., Any]) -> None:
    node = segmentation()

    def published_topics() -> dict[str, str]:
        return {
            name.replace('/segmentation/', '~/'): types[0].replace('/msg/', '/')
            for name, types in node.get_publisher_names_and_types_by_node('segmentation', '/')
        }

    # Publishers are known before it is known whose they are.
    ros.wait_until(lambda: '~/label_set' in published_topics(), 'the last topic')
    text = (ROOT / 'docs' / 'segmentation_node.md').read_text()
    published = text.partition('Published;')[2].partition('With `cameras:')[0]
    documented = dict(re.findall(r'^\| `(\S+)` \| (\S+) \|', published, re.MULTILINE))
    found = published_topics()
    for name in ('/parameter_events', '/rosout', '~/transition_event'):
        found.pop(name, None)
    optional = {'~/label_info'}
    assert {k: v for k, v in found.items() if k not in optional} == {
        k: v for k, v in documented.items() if k not in optional
    }


def granted(node: str, tag: str, permission: str) -> set[str]:
    """Return the names that config/sros2_policy.xml grants a node."""
    policy = ElementTree.parse(ROOT / 'config' / 'sros2_policy.xml')
    (enclave,) = policy.findall(f".//enclave[@path='/espnet_ros/{node}']")
    (profile,) = enclave.findall(f".//profile[@node='{node}']")
    entries = profile.findall(f"{tag}s[@{permission}='ALLOW']/{tag}")
    return {str(entry.text) for entry in entries}


def test_the_policy_of_sros2_grants_the_node_what_it_uses_and_no_more(
    ros: Any, segmentation: Callable[..., Any]
) -> None:
    node = segmentation()
    graph = {
        ('topic', 'publish'): node.get_publisher_names_and_types_by_node,
        ('topic', 'subscribe'): node.get_subscriber_names_and_types_by_node,
        ('service', 'reply'): node.get_service_names_and_types_by_node,
    }

    def used(tag: str, permission: str) -> set[str]:
        names = (name for name, _ in graph[tag, permission]('segmentation', '/'))
        return {re.sub('^/segmentation/', '~/', name).removeprefix('/') for name in names}

    ros.wait_until(lambda: '~/label_set' in used('topic', 'publish'), 'the last topic')
    ros.wait_until(lambda: 'image_raw' in used('topic', 'subscribe'), 'the camera')
    # Not of every configuration or distribution.
    sometimes = {
        'clock',
        'image_raw/compressed',
        'rosout',
        '~/label_info',
        '~/get_type_description',
    }
    for tag, permission in graph:
        allowed = granted('segmentation', tag, permission)
        assert used(tag, permission) <= allowed, (tag, permission)
        assert allowed - used(tag, permission) <= sometimes, (tag, permission)


def test_the_policy_of_sros2_grants_the_topics_of_the_free_space_node() -> None:
    page = (ROOT / 'docs' / 'planner.md').read_text()
    documented = set(re.findall(r'^\| `(~/\w+)` \| \w+/', page, re.MULTILINE))
    assert {'~/costmap', '~/scan'} <= documented
    assert documented <= granted('free_space', 'topic', 'publish')
