#!/usr/bin/env python3
"""
Measure what the segmentation node adds to inference, stage by stage.

The node runs in a process of its own and gets one large image again and again at a low rate;
this process publishes it and listens to the mask, the overlay and the statistics, whose times
make the table. Only what somebody listens to is computed, so --outputs changes the numbers.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import signal
import subprocess
import sys

from espnet_ros.msg import InferenceStats
from espnet_ros.nodes.conversions import array_to_image
from espnet_ros.nodes.transport import set_transport
from espnet_ros.processing.codecs import decode_image
import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

ROOT = Path(__file__).resolve().parents[1]
OWN_STAGES = ('convert', 'prepare', 'finish', 'publish')
WARM_UP_FRAMES = 10
OUTPUTS = {
    'mask': Image,
    'confidence': Image,
    'color_mask': Image,
    'overlay': Image,
    'mask/compressed': CompressedImage,
    'overlay/compressed': CompressedImage,
}


def main() -> int:
    """Run the benchmark and print its table; return the exit code."""
    options = parse()
    set_transport()
    with node_process(options):
        rclpy.init()
        try:
            stats = measure(options)
        finally:
            rclpy.try_shutdown()
    write_table(options, stats)
    return 0


def parse() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--model', default='auto', help='model name or file')
    parser.add_argument('--runtime', default='auto')
    parser.add_argument('--image', type=Path, help='picture; default is noise')
    parser.add_argument('--size', default='1024,2048', help='height,width of the noise')
    parser.add_argument('--encoding', default='bgr8', choices=('bgr8', 'rgb8', 'mono8'))
    parser.add_argument('--outputs', default='mask,overlay', help='of ' + ','.join(OUTPUTS))
    parser.add_argument('--rate', type=float, default=4.0, help='images a second')
    parser.add_argument('--frames', type=int, default=100)
    return parser.parse_args()


@contextmanager
def node_process(options: argparse.Namespace) -> Iterator[None]:
    """Run the segmentation node."""
    command = [sys.executable, '-m', 'espnet_ros.nodes.segmentation_node', '--ros-args']
    command += ['-p', f'model:={options.model}', '-p', f'runtime:={options.runtime}']
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)


def make_message(options: argparse.Namespace) -> Image:
    """Return the image that is published."""
    if options.image:
        values = decode_image(options.image.read_bytes())
    else:
        height, width = (int(part) for part in options.size.split(','))
        values = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    if options.encoding == 'mono8':
        values = np.ascontiguousarray(values[..., 0])
    return array_to_image(values, options.encoding, Header(frame_id='camera'))


def measure(options: argparse.Namespace) -> list[InferenceStats]:
    """Publish the image until enough frames came through; return their statistics."""
    node = Node('benchmark')
    received: list[InferenceStats] = []
    for name in options.outputs.split(','):
        topic, message_type = f'segmentation/{name}', OUTPUTS[name]
        node.create_subscription(message_type, topic, lambda _: None, 1)
    node.create_subscription(InferenceStats, 'segmentation/stats', received.append, 10)
    publisher = node.create_publisher(Image, 'image_raw', qos_profile_sensor_data)
    message = make_message(options)

    def publish() -> None:
        message.header.stamp = node.get_clock().now().to_msg()
        publisher.publish(message)

    node.create_timer(1 / options.rate, publish)
    while len(received) < WARM_UP_FRAMES + options.frames:
        rclpy.spin_once(node, timeout_sec=1.0)
    return received[WARM_UP_FRAMES:]


def write_table(options: argparse.Namespace, stats: list[InferenceStats]) -> None:
    """Write the median and 95th percentile of each stage in milliseconds."""
    rows = {
        stage: [getattr(s, f'{stage}_s') for s in stats]
        for stage in ('convert', 'prepare', 'inference', 'finish', 'publish', 'latency')
    }
    rows['own work'] = np.sum([rows[stage] for stage in OWN_STAGES], axis=0).tolist()
    sys.stdout.write(
        f'{options.encoding} image, outputs {options.outputs}, runtime {stats[-1].runtime} '
        f'{stats[-1].precision}, {len(stats)} frames, {len(os.sched_getaffinity(0))} cores\n\n'
        '| stage | median ms | 95 % below ms |\n|---|---|---|\n'
    )
    for stage, seconds in rows.items():
        median_ms, high_ms = np.percentile(np.array(seconds) * 1e3, (50, 95))
        sys.stdout.write(f'| {stage} | {median_ms:.2f} | {high_ms:.2f} |\n')


if __name__ == '__main__':
    sys.exit(main())
