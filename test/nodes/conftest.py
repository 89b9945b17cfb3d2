"""A segmentation node for every test, and the mark of those that use a ROS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from ros_harness import Ros, ros, ros_domain  # noqa: F401  (fixtures)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use a ROS."""
    for item in items:
        if 'ros' in getattr(item, 'fixturenames', ()):
            item.add_marker(pytest.mark.ros)


@pytest.fixture
def segmentation(ros: Ros, channel_model_path: Path) -> Callable[..., Any]:
    """Return what starts a segmentation node whose classes are blue, green and red."""
    from espnet_ros.nodes.segmentation.node import SegmentationNode

    def start(arguments: Sequence[str] = (), **parameters: Any) -> SegmentationNode:
        values = {'model': str(channel_model_path), 'runtime': 'onnxruntime', 'threads': 1}
        values['min_contrast'] = 0  # what tests send is of one colour
        values |= {name.replace('__', '.'): value for name, value in parameters.items()}
        return ros.start(SegmentationNode, values, arguments)

    return start
