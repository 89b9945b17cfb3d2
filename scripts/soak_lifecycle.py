#!/usr/bin/env python3
"""
Deactivate and activate the segmentation node many times while cameras stream into it.

The node is a process of its own; this one publishes the images and asks for the transitions.
Exits with 1 where the process died, a transition failed, or no mask comes at the end.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
import subprocess
import sys
import tempfile
import time

from espnet_ros.nodes.launching.child_process import node_process
from espnet_ros.nodes.launching.transport import set_transport
from espnet_ros.nodes.ros.messages.images import array_to_image
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
import numpy as np
import rclpy
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header

LIMIT_S = 60.0
PAIR = (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_ACTIVATE)


class Cameras(Node):  # type: ignore[misc]
    """Publishes the images of several cameras, and asks for transitions."""

    def __init__(self, names: list[str], rate_hz: float) -> None:
        super().__init__('soak_lifecycle')
        self.masks = 0
        image_bgr = np.zeros((270, 480, 3), np.uint8)
        image_bgr[:135] = 255
        self._image = array_to_image(image_bgr, 'bgr8', Header())
        for name in names:
            publisher = self.create_publisher(Image, f'{name}/image_raw', 1)
            self.create_timer(1 / rate_hz, partial(self._publish, publisher))
            self.create_subscription(Image, f'segmentation/{name}/mask', self._count, 1)
        self._client = self.create_client(ChangeState, 'segmentation/change_state')

    def go(self, transition: int, limit_s: float) -> bool:
        """Ask for a transition, and return whether it was made in time."""
        if not self._client.wait_for_service(limit_s):
            return False
        request = ChangeState.Request(transition=Transition(id=transition))
        future = self._client.call_async(request)
        rclpy.spin_until_future_complete(self, future, timeout_sec=limit_s)
        return bool(future.done() and future.result().success)

    def see_masks(self, limit_s: float) -> bool:
        """Wait for masks, and return whether any came."""
        self.masks, end_s = 0, time.monotonic() + limit_s
        while not self.masks and time.monotonic() < end_s:
            rclpy.spin_once(self, timeout_sec=0.1)
        return self.masks > 0

    def _publish(self, publisher: rclpy.publisher.Publisher) -> None:
        self._image.header.stamp = self.get_clock().now().to_msg()
        publisher.publish(self._image)

    def _count(self, _: Image) -> None:
        self.masks += 1


def run(cameras: Cameras, process: subprocess.Popen[bytes], rounds: int) -> str:
    """Walk the rounds; return what went wrong, or nothing."""
    if not cameras.see_masks(LIMIT_S):
        return 'no mask at the start'
    for done in range(rounds):
        for transition in PAIR:
            if not cameras.go(transition, LIMIT_S):
                return f'round {done}: transition {transition} failed, exit code {process.poll()}'
    return '' if cameras.see_masks(LIMIT_S) else 'no mask at the end'


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=3000)
    parser.add_argument('--cameras', type=int, default=3)
    parser.add_argument('--rate', type=float, default=60.0, help='images per second and camera')
    options = parser.parse_args()
    names = [f'camera_{index}' for index in range(options.cameras)]
    set_transport()
    parameters = {'cameras': f'[{", ".join(names)}]', 'runtime': 'fake', 'power.sensor': 'none'}
    with tempfile.TemporaryDirectory() as folder:
        with node_process('segmentation_node', parameters, Path(folder)) as process:
            rclpy.init()
            started_s = time.monotonic()
            trouble = run(Cameras(names, options.rate), process, options.rounds)
            rclpy.try_shutdown()
        if trouble:
            sys.stdout.write((Path(folder) / 'segmentation_node.log').read_text()[-2000:])
    seconds = time.monotonic() - started_s
    print(trouble or f'{options.rounds} rounds in {seconds:.0f} s without a death')
    return 1 if trouble else 0


if __name__ == '__main__':
    raise SystemExit(main())
