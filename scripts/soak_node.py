#!/usr/bin/env python3
"""
Run the segmentation node on a camera for minutes and watch stamps, drops and memory.

Camera source, segmentation node and this observer are three processes. Every mask must carry
the stamp and frame of an image that was published, stamps must rise, and the node's memory
must not grow. Exits with 1 where one of that does not hold.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
import json
from pathlib import Path
import tempfile
import time

from espnet_ros.nodes.launching.child_process import node_process
from espnet_ros.nodes.launching.transport import set_transport
import psutil
import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image
from std_msgs.msg import Header

WARM_UP_S = 30.0
ALLOWED_GROWTH_MB = 20.0


Stamp = tuple[int, int, str]


class Observer(Node):
    """Remembers the stamps of images and masks; pixels stay undecoded, so that it keeps up."""

    def __init__(self) -> None:
        super().__init__('soak_observer')
        self.image_stamps: set[Stamp] = set()
        self.mask_stamps: list[Stamp] = []
        qos = QoSProfile(depth=50)
        self.create_subscription(
            Image, 'image_raw', lambda data: self.image_stamps.add(stamp(data)), qos, raw=True
        )
        self.create_subscription(
            Image,
            'segmentation/mask',
            lambda data: self.mask_stamps.append(stamp(data)),
            qos,
            raw=True,
        )


def stamp(serialized: bytes) -> Stamp:
    """Return stamp and frame of a serialised message that begins with a header."""
    header = deserialize_message(serialized, Header)
    return header.stamp.sec, header.stamp.nanosec, header.frame_id


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    return float(psutil.Process(pid).memory_info().rss) / 1e6


def watch(observer: Observer, pid: int, seconds: float) -> list[float]:
    """Spin for a while; return the node's memory once a second after the warm-up."""
    memory: list[float] = []
    started = last = time.monotonic()
    while (now := time.monotonic()) - started < WARM_UP_S + seconds:
        rclpy.spin_once(observer, timeout_sec=0.05)
        if now - started > WARM_UP_S and now - last > 1:
            last = now
            memory.append(memory_mb(pid))
    return memory


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--source', default='synthetic', help='video, folder or synthetic')
    parser.add_argument('--rate', type=float, default=25.0, help='images a second')
    parser.add_argument('--model', default='auto', help='model name or file')
    parser.add_argument('--minutes', type=float, default=10.0)
    options = parser.parse_args()
    set_transport()
    camera = {'source': options.source, 'rate_hz': options.rate, 'loop': True}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(node_process('camera_source_node', camera, folder))
        node = stack.enter_context(
            node_process('segmentation_node', {'model': options.model}, folder)
        )
        rclpy.init()
        observer = Observer()
        memory = watch(observer, node.pid, options.minutes * 60)
        masks, images = observer.mask_stamps, observer.image_stamps
        rclpy.try_shutdown()
    tenth = max(1, len(memory) // 10)
    first, last = (sum(part) / tenth for part in (memory[:tenth], memory[-tenth:]))
    report = {
        'minutes': options.minutes,
        'images': len(images),
        'masks': len(masks),
        'masks_without_image': len(set(masks) - images),
        'stamps_rise': masks == sorted(set(masks)),
        'memory_first_mb': round(first, 1),
        'memory_last_mb': round(last, 1),
        'memory_mb_each_minute': [round(value, 1) for value in memory[::60]],
    }
    print(json.dumps(report, indent=2))
    sound = report['masks_without_image'] == 0 and report['stamps_rise'] and masks
    return 0 if sound and last - first < ALLOWED_GROWTH_MB else 1


if __name__ == '__main__':
    raise SystemExit(main())
