"""A free space node over the street's masks, and a tree of transforms for it."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture
def free_space(ros):
    """Return what starts a free space node whose camera is mounted as the street's."""
    from espnet_ros.nodes.free_space.node import FreeSpaceNode

    from .scene import MOUNT

    def start(**parameters):
        values = {'pose_source': 'parameters', 'max_age_ms': 20000.0}
        values |= MOUNT | {name.replace('__', '.'): v for name, v in parameters.items()}
        return ros.start(FreeSpaceNode, values)

    return start


@pytest.fixture
def tree(monkeypatch):
    """Return a tree of transforms that the node finds where tf2_ros would be."""
    from .tree import Tree

    transforms = Tree()
    monkeypatch.setitem(sys.modules, 'tf2_ros', transforms.module)
    return transforms


@pytest.fixture
def maps(ros):
    from nav_msgs.msg import OccupancyGrid

    return ros.listen(OccupancyGrid, 'free_space/costmap')


@pytest.fixture
def scans(ros):
    from sensor_msgs.msg import LaserScan

    return ros.listen(LaserScan, 'free_space/scan')
