#!/usr/bin/env python3
"""
Count the large best-effort images that arrive between two processes.

Publishes images of 1.5 MB, or another size, from one process to another, first with the default
settings of the ROS 2 middleware, then with our file for it (config/fastdds.xml for Fast DDS,
config/cyclonedds.xml for Cyclone DDS), and prints what arrived and how old it was.
"""

from __future__ import annotations

import argparse
import array
import json
import os
from pathlib import Path
import subprocess
import sys
import time

from espnet_ros.nodes.launching.transport import (
    CYCLONE_DDS_VARIABLE,
    FAST_DDS_VARIABLES,
    transport_setting,
)
import rclpy
from rclpy.qos import qos_profile_sensor_data
from rclpy.time import Time
from sensor_msgs.msg import Image

CONFIG = Path(__file__).resolve().parents[1] / 'config'
TOPIC = 'transport_benchmark/image'


def publish(count: int, rate_hz: float, size: tuple[int, int]) -> None:
    """Publish ``count`` images once somebody listens."""
    rclpy.init()
    node = rclpy.create_node('transport_publisher')
    publisher = node.create_publisher(Image, TOPIC, qos_profile_sensor_data)
    height, width = size
    image = Image(height=height, width=width, encoding='bgr8', step=width * 3)
    image.data = array.array('B', bytes(height * width * 3))
    deadline = time.monotonic() + 20
    while publisher.get_subscription_count() == 0 and time.monotonic() < deadline:
        rclpy.spin_once(node, timeout_sec=0.1)
    next_time = time.monotonic()
    for _ in range(count):
        next_time += 1 / rate_hz
        image.header.stamp = node.get_clock().now().to_msg()
        publisher.publish(image)
        rclpy.spin_once(node, timeout_sec=max(0.0, next_time - time.monotonic()))
        time.sleep(max(0.0, next_time - time.monotonic()))
    node.destroy_node()
    rclpy.try_shutdown()


def receive(count: int, rate_hz: float) -> dict[str, float | int | None]:
    """Receive for as long as publishing takes; return what arrived."""
    rclpy.init()
    node = rclpy.create_node('transport_receiver')
    ages_ms: list[float] = []

    def take(image: Image) -> None:
        age = node.get_clock().now() - Time.from_msg(image.header.stamp)
        ages_ms.append(age.nanoseconds / 1e6)

    node.create_subscription(Image, TOPIC, take, qos_profile_sensor_data)
    end = time.monotonic() + 20
    while len(ages_ms) < count and time.monotonic() < end:
        seen = len(ages_ms)
        rclpy.spin_once(node, timeout_sec=0.1)
        if seen == 0 and ages_ms:
            end = time.monotonic() + count / rate_hz + 2
    node.destroy_node()
    rclpy.try_shutdown()
    ages_ms.sort()
    return {
        'sent': count,
        'received': len(ages_ms),
        'median_age_ms': round(ages_ms[len(ages_ms) // 2], 2) if ages_ms else None,
    }


def measure(words: list[str], setting: dict[str, str]) -> dict[str, float | int | None]:
    """Run publisher and receiver as two processes and return what arrived."""
    environment = os.environ | setting
    command = [sys.executable, __file__, *words, '--role']
    with subprocess.Popen([*command, 'publish'], env=environment) as publisher:
        receiver = subprocess.run(
            [*command, 'receive'], env=environment, stdout=subprocess.PIPE, check=True
        )
        publisher.wait(timeout=60)
    return dict(json.loads(receiver.stdout))


def compare(words: list[str]) -> dict[str, dict[str, float | int | None]]:
    """Return what arrived by the default transport and by ours."""
    for variable in (*FAST_DDS_VARIABLES, CYCLONE_DDS_VARIABLE):
        os.environ.pop(variable, None)
    setting = transport_setting(CONFIG)
    if setting is None:
        sys.exit(f'expected Fast DDS or Cyclone DDS, found {os.environ["RMW_IMPLEMENTATION"]}')
    return {
        'default': measure(words, {}),
        Path(setting[1]).name: measure(words, dict([setting])),
    }


def main() -> None:
    """Compare the default transport with ours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--count', type=int, default=100, help='images to send')
    parser.add_argument('--rate', type=float, default=25.0, help='images a second')
    parser.add_argument(
        '--size', type=int, nargs=2, default=(540, 960), metavar=('HEIGHT', 'WIDTH')
    )
    parser.add_argument('--role', choices=('both', 'publish', 'receive'), default='both')
    options = parser.parse_args()
    if options.role == 'publish':
        publish(options.count, options.rate, options.size)
    elif options.role == 'receive':
        print(json.dumps(receive(options.count, options.rate)))
    else:
        print(json.dumps(compare(sys.argv[1:]), indent=2))


if __name__ == '__main__':
    main()
