#!/usr/bin/env python3
"""
Count the large best-effort images that arrive between two processes.

Publishes images of 1.5 MB from this process to another one, first with the default settings of
the ROS 2 middleware, then with config/fastdds.xml, and prints what arrived and how old it was.
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

from espnet_ros.nodes.launching.transport import profile_variable, PROFILE_VARIABLES
import rclpy
from rclpy.qos import qos_profile_sensor_data
from rclpy.time import Time
from sensor_msgs.msg import Image

PROFILE = Path(__file__).resolve().parents[1] / 'config' / 'fastdds.xml'
TOPIC = 'transport_benchmark/image'
SIZE = (540, 960)


def publish(count: int, rate_hz: float) -> None:
    """Publish ``count`` images once somebody listens."""
    rclpy.init()
    node = rclpy.create_node('transport_publisher')
    publisher = node.create_publisher(Image, TOPIC, qos_profile_sensor_data)
    height, width = SIZE
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


def measure(profile: Path | None, count: int, rate_hz: float) -> dict[str, float | int | None]:
    """Run publisher and receiver as two processes and return what arrived."""
    environment = {k: v for k, v in os.environ.items() if k not in PROFILE_VARIABLES}
    if profile is not None:
        environment[profile_variable()] = str(profile)
    command = [sys.executable, __file__, '--count', str(count), '--rate', str(rate_hz), '--role']
    with subprocess.Popen([*command, 'publish'], env=environment) as publisher:
        receiver = subprocess.run(
            [*command, 'receive'], env=environment, stdout=subprocess.PIPE, check=True
        )
        publisher.wait(timeout=60)
    return dict(json.loads(receiver.stdout))


def main() -> None:
    """Compare the default transport with ours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--count', type=int, default=100, help='images to send')
    parser.add_argument('--rate', type=float, default=25.0, help='images a second')
    parser.add_argument('--role', choices=('both', 'publish', 'receive'), default='both')
    options = parser.parse_args()
    if options.role == 'publish':
        publish(options.count, options.rate)
    elif options.role == 'receive':
        print(json.dumps(receive(options.count, options.rate)))
    else:
        result = {
            'default': measure(None, options.count, options.rate),
            'fastdds.xml': measure(PROFILE, options.count, options.rate),
        }
        print(json.dumps(result, indent=2))


if __name__ == '__main__':
    main()
