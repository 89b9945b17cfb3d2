"""The topics of the documentation are those of the node."""

from __future__ import annotations

from collections.abc import Callable
import re
from typing import Any

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
