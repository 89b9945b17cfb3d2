"""A process that reads ~/label_set and says so, until it is ended: its reader can be stopped."""

from __future__ import annotations

import sys

from espnet_ros.msg import LabelSet
from espnet_ros.nodes.ros.qos import latched_qos
import rclpy


def say(message: LabelSet) -> None:
    """Print the name of a label set."""
    sys.stdout.write(f'{message.name}\n')
    sys.stdout.flush()


def main() -> None:
    """Print a line for each label set that comes."""
    rclpy.init()
    node = rclpy.create_node('reader')
    node.create_subscription(LabelSet, 'segmentation/label_set', say, latched_qos())
    rclpy.spin(node)


if __name__ == '__main__':
    sys.exit(main())
