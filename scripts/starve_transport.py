#!/usr/bin/env python3
"""
Count how often a starved process becomes deaf on Fast DDS's shared memory, with two profiles.

Four processes send to each other; each stands still for up to 3 s at a time, at random, between
moments of running. After 20 s of that all run again, and each must hear all within 10 s; if not,
that round was deaf and the four start anew. Prints one line of JSON: rounds and deaf ones with
config/fastdds.xml, and with the same file but Fast DDS's own 1 s until a port counts as broken.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

from espnet_ros.nodes.launching.transport import fast_dds_variable

PROFILE = Path(__file__).resolve().parents[1] / 'config' / 'fastdds.xml'
PEERS = 4
STILL_S = (0.2, 3.0)
RUNNING_S = (0.005, 0.06)
STARVED_S = 20.0
HEARD_WITHIN_S = 10.0

PEER = """
import os, sys, time
import rclpy
from std_msgs.msg import String

name, folder = sys.argv[1:]
rclpy.init()
node = rclpy.create_node('peer' + name)
publisher = node.create_publisher(String, 'starved', 5)
heard = {}
node.create_subscription(String, 'starved', lambda m: heard.update({m.data: time.monotonic()}), 5)
while True:
    rclpy.spin_once(node, timeout_sec=0.1)
    publisher.publish(String(data=name))
    fresh = sorted(peer for peer, when in heard.items() if time.monotonic() - when < 2)
    with open(os.path.join(folder, name + '.new'), 'w') as file:
        file.write(' '.join(fresh))
    os.replace(os.path.join(folder, name + '.new'), os.path.join(folder, name))
"""


class Peers:
    """Four processes that send to each other."""

    def __init__(self, profile: Path, folder: Path) -> None:
        self.folder = folder
        self._processes = [
            subprocess.Popen(
                [sys.executable, '-c', PEER, str(index), str(folder)],
                env=os.environ | {fast_dds_variable(): str(profile)},
            )
            for index in range(PEERS)
        ]

    def all_hear_all(self, within_s: float) -> bool:
        """Tell whether each hears each, waiting for it."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            files = [self.folder / str(index) for index in range(PEERS)]
            if all(file.exists() and len(file.read_text().split()) == PEERS for file in files):
                return True
            time.sleep(0.5)
        return False

    def starve(self) -> None:
        """Let each run for moments only, then all."""
        end = time.monotonic() + STARVED_S
        due = [(0.0, signal.SIGSTOP)] * PEERS
        while time.monotonic() < end:
            for index, (when, sent) in enumerate(due):
                if time.monotonic() < when:
                    continue
                self._processes[index].send_signal(sent)
                stopped = sent == signal.SIGSTOP
                pause_s = random.uniform(*(STILL_S if stopped else RUNNING_S))
                following = signal.SIGCONT if stopped else signal.SIGSTOP
                due[index] = (time.monotonic() + pause_s, following)
            time.sleep(0.004)
        for process in self._processes:
            process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End them."""
        for process in self._processes:
            process.kill()
            process.wait()
        for file in self.folder.iterdir():
            file.unlink()


def count_deaf(profile: Path, rounds: int) -> dict[str, int]:
    """Starve peers that use a profile."""
    deaf = 0
    with tempfile.TemporaryDirectory() as folder:
        peers = Peers(profile, Path(folder))
        try:
            for _ in range(rounds):
                if not peers.all_hear_all(60.0):
                    sys.exit(
                        'the processes did not find each other within 60 s; is ROS installed?'
                    )
                peers.starve()
                if not peers.all_hear_all(HEARD_WITHIN_S):
                    deaf += 1
                    peers.close()
                    peers = Peers(profile, Path(folder))
        finally:
            peers.close()
    return {'rounds': rounds, 'deaf': deaf}


def main() -> None:
    """Measure both and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=20, help='with each profile, 25 s each')
    options = parser.parse_args()
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    with tempfile.TemporaryDirectory() as folder:
        default = Path(folder) / 'default.xml'
        check = r'\s*<healthy_check_timeout_ms>.*</healthy_check_timeout_ms>'
        default.write_text(re.sub(check, '', PROFILE.read_text()))
        counts = {
            'fastdds.xml': count_deaf(PROFILE, options.rounds),
            'its own 1 s': count_deaf(default, options.rounds),
        }
    print(json.dumps(counts))


if __name__ == '__main__':
    main()
