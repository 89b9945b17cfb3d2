"""
Measures the real node over topics: from an image published to its mask received.

The node runs in a process of its own. This process plays its camera, listens to mask and
statistics, and writes what it found to standard output as JSON.
``espnet-ros bench --node`` runs it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import json
import math
import os
from pathlib import Path
import subprocess
import sys
import tempfile
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from espnet_ros.exceptions import EspnetError, InferenceError
from espnet_ros.msg import InferenceStats
from espnet_ros.nodes.camera_record import STAGES
from espnet_ros.nodes.child_process import log_path_of, node_process
from espnet_ros.nodes.conversions import array_to_image
from espnet_ros.nodes.transport import set_transport
from espnet_ros.processing.codecs import decode_image
from espnet_ros.sources import Frame, open_source
import numpy as np
from numpy.typing import NDArray
import rclpy
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Header

SETTLE_S = 2.0


class Benchmark(Node):  # type: ignore[misc]
    """
    Plays the camera of a segmentation node and takes its masks.

    :param image_bgr: the image that is published
    :param rate_hz: how often
    """

    def __init__(self, image_bgr: NDArray[np.uint8], rate_hz: float) -> None:
        super().__init__('node_benchmark')
        self._message = array_to_image(image_bgr, 'bgr8', Header(frame_id='camera'))
        self.published_s: list[float] = []
        self.ages_s: list[float] = []
        self.received_s: list[float] = []
        self.stats: list[InferenceStats] = []
        self.stats_s: list[float] = []
        self.failure = ''
        self._publisher = self.create_publisher(Image, 'image_raw', qos_profile_sensor_data)
        self.create_subscription(Image, 'segmentation/mask', self._take_mask, 10)
        self.create_subscription(InferenceStats, 'segmentation/stats', self._take_stats, 10)
        self.create_subscription(DiagnosticArray, '/diagnostics', self._take_diagnostics, 10)
        self.create_timer(1 / rate_hz, self._publish)

    def forget(self) -> None:
        """Begin to measure anew."""
        for values in (self.published_s, self.ages_s, self.received_s, self.stats, self.stats_s):
            values.clear()

    def _publish(self) -> None:
        self._message.header.stamp = self.get_clock().now().to_msg()
        self._publisher.publish(self._message)
        self.published_s.append(time.monotonic())

    def _take_mask(self, mask: Image) -> None:
        stamp_s = mask.header.stamp.sec + 1e-9 * mask.header.stamp.nanosec
        self.ages_s.append(1e-9 * self.get_clock().now().nanoseconds - stamp_s)
        self.received_s.append(time.monotonic())

    def _take_diagnostics(self, array: DiagnosticArray) -> None:
        for status in array.status:
            if status.name.endswith(': model') and status.level == DiagnosticStatus.ERROR:
                self.failure = status.message

    def _take_stats(self, stats: InferenceStats) -> None:
        self.stats.append(stats)
        self.stats_s.append(time.monotonic())


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write JSON; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').strip().splitlines()[0])
    parser.add_argument('parameters', nargs='*', metavar='NAME:=VALUE', help='of the node')
    parser.add_argument('--camera-rate', type=float, default=30.0, metavar='HZ')
    parser.add_argument('--seconds', type=float, default=20.0)
    parser.add_argument('--startup-limit', type=float, default=120.0, metavar='S')
    parser.add_argument('--size', default='512,1024', metavar='HEIGHT,WIDTH')
    parser.add_argument('--image', type=Path, help='default: a rendered street')
    options = parser.parse_args(arguments)
    try:
        record = _measure_node(options)
    except EspnetError as error:
        sys.stderr.write(f'{error}\n')
        return 1
    sys.stdout.write(f'{json.dumps(record, indent=2)}\n')
    return 0


def _measure_node(options: argparse.Namespace) -> dict[str, Any]:
    image_bgr = _open_image(options)
    parameters = dict(text.split(':=', 1) for text in options.parameters)
    set_transport()
    with (
        tempfile.TemporaryDirectory() as folder,
        node_process('segmentation_node', parameters, Path(folder)) as process,
    ):
        rclpy.init()
        try:
            node = Benchmark(image_bgr, options.camera_rate)
            log_path = log_path_of(Path(folder), 'segmentation_node')
            return _run(node, process, options, log_path) | {
                'image': f'{image_bgr.shape[1]}x{image_bgr.shape[0]} bgr8'
            }
        finally:
            rclpy.try_shutdown()


def _open_image(options: argparse.Namespace) -> NDArray[np.uint8]:
    if options.image is not None:
        return decode_image(options.image.read_bytes())
    height, width = (int(part) for part in options.size.split(','))
    with open_source('synthetic', size=(height, width)) as source:
        return next(frame.image_bgr for frame in source if isinstance(frame, Frame))


def _run(
    node: Benchmark,
    process: subprocess.Popen[bytes],
    options: argparse.Namespace,
    log_path: Path,
) -> dict[str, Any]:
    """
    Wait for the first masks, then measure.

    :raises InferenceError: the node ended, or gave no mask
    """
    limit_s = time.monotonic() + options.startup_limit
    while not node.received_s or not node.stats:
        rclpy.spin_once(node, timeout_sec=0.1)
        if node.failure:
            raise InferenceError(f'the node gave no mask: {node.failure}')
        if process.poll() is not None or time.monotonic() > limit_s:
            tail = ' '.join(log_path.read_text(errors='replace').splitlines()[-3:])
            raise InferenceError(f'the node gave no mask: {tail}')
    _spin_for(node, SETTLE_S)
    node.forget()
    began_s, began_cpu_s = time.monotonic(), _cpu_s(process.pid)
    _spin_for(node, options.seconds)
    duration_s = time.monotonic() - began_s
    cpu_s = _cpu_s(process.pid) - began_cpu_s
    if not node.received_s or not node.stats:
        raise InferenceError(f'the node gave no mask for {duration_s:.0f} s')
    return _describe(node, duration_s, cpu_s)


def _spin_for(node: Benchmark, duration_s: float) -> None:
    end_s = time.monotonic() + duration_s
    while time.monotonic() < end_s:
        rclpy.spin_once(node, timeout_sec=0.1)


def _describe(node: Benchmark, duration_s: float, cpu_s: float) -> dict[str, Any]:
    first, last = node.stats[0], node.stats[-1]
    published, received = len(node.published_s), len(node.received_s)
    # The node's counts are known at its statistics only.
    counted = sum(node.stats_s[0] < time_s <= node.stats_s[-1] for time_s in node.published_s)
    arrived = int(last.frames_received - first.frames_received)
    return {
        'runtime': last.runtime,
        'precision': last.precision,
        'seconds': round(duration_s, 3),
        'images_published': published,
        'masks_received': received,
        'image_rate_hz': round(published / duration_s, 3),
        'mask_rate_hz': round(received / duration_s, 3),
        'dropped_by_node': int(last.frames_dropped - first.frames_dropped),
        'lost_on_the_way_in': max(counted - arrived, 0),
        'published_to_received_ms': _percentiles_ms(node.ages_s),
        'stages_ms': {
            stage: _percentiles_ms([getattr(s, f'{stage}_s') for s in node.stats])['p50']
            for stage in STAGES
        },
        'node_cpu_percent': round(100 * cpu_s / duration_s, 1),
        'node_cpu_per_frame_ms': round(1e3 * cpu_s / received, 2),
        'power_w': _mean([s.power_w for s in node.stats]),
        'energy_per_frame_j': _mean([s.energy_j for s in node.stats]),
    }


def _percentiles_ms(values_s: Sequence[float]) -> dict[str, float | None]:
    known = [value for value in values_s if not math.isnan(value)]
    if not known:
        return {'p50': None, 'p90': None, 'p99': None}
    found = np.percentile(known, (50, 90, 99)) * 1e3
    return {f'p{p}': round(float(v), 2) for p, v in zip((50, 90, 99), found, strict=True)}


def _mean(values: Sequence[float]) -> float | None:
    known = [value for value in values if not math.isnan(value)]
    return round(float(np.mean(known)), 4) if known else None


def _cpu_s(pid: int) -> float:
    """Return the time of all cores together that a process has taken, in seconds."""
    # The name of the process, in brackets, may hold blanks.
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


if __name__ == '__main__':
    sys.exit(main())
