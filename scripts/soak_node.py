#!/usr/bin/env python3
"""
Run camera, segmentation node and free space node for hours while things happen to them.

In every turn live parameters change, a bad one is refused, the camera stands still, is killed and
comes again, and the segmentation node walks through its lifecycle; after a tenth of the time both
nodes are killed once. Every mask must carry the stamp of an image that was published, stamps must
rise, diagnostics must tell of missing images, and memory, descriptors and threads must not grow.
Exits with 1 where one of that does not hold. The result is JSON on standard output.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
import json
import os
from pathlib import Path
import sys
import tempfile
import time
from typing import Any

from espnet_ros.config import SegmentationNodeSettings
from espnet_ros.nodes.launching.street_mount import street_mount
from espnet_ros.nodes.launching.transport import set_transport
from espnet_ros.nodes.ros.topics import mask_remappings
from espnet_ros.nodes.soak.events import Events, Nodes, RECOVERY_LIMIT_S, SoakError
from espnet_ros.nodes.soak.observer import SoakObserver
from espnet_ros.nodes.soak.processes import SoakedNode
from espnet_ros.nodes.soak.recording import record_street
from espnet_ros.nodes.soak.report import as_record, growth_of, judge_stamps
from espnet_ros.settings import list_settings
import rclpy

SAMPLE_PERIOD_S = 5.0
FILLING_WALKS = 48
"""Transitions run in a pool of eight threads, each of which keeps the memory that it freed: in
that many walks the node grows from 75 to 177 MB, and no further after them."""
START_LIMIT_S = 120.0
WEB_PORT = 8093


def make_nodes(options: argparse.Namespace, folder: Path) -> tuple[Nodes, str]:
    """Return the nodes, not started, and the address of the live view where there is one."""
    source = options.source
    if not source:
        source = str(folder / 'street')
        record_street(folder / 'street', tuple(options.size), options.rate)
    camera = {
        'source': source,
        'rate_hz': options.rate,
        'loop': True,
    }
    segmentation: dict[str, object] = {
        'model': options.model,
        'runtime': options.runtime,
        'power.sensor': 'none',
    }
    page_url = ''
    if any(entry.name == 'web.port' for entry in list_settings(SegmentationNodeSettings)):
        segmentation['web.port'] = WEB_PORT
        page_url = f'http://127.0.0.1:{WEB_PORT}/'
    mask_topics = tuple(mask_remappings(('',)).items())
    nodes = Nodes(
        SoakedNode('camera_source_node', camera, folder),
        SoakedNode('segmentation_node', segmentation, folder),
        SoakedNode('free_space_node', street_mount(), folder, mask_topics),
    )
    return nodes, page_url


class Soak:
    """
    A soak that runs.

    :ivar failures: what went wrong, one line each
    """

    def __init__(self, events: Events, minutes: float, turn_s: float) -> None:
        self._events = events
        self._nodes = events.nodes
        self._seconds = minutes * 60
        self._turn_s = turn_s
        self._started_s = time.monotonic()
        self._sampled_s = 0.0
        self.failures: list[str] = []

    def run(self) -> None:
        """Run until the time is up."""
        observer = self._events.observer
        if not observer.hears_masks(START_LIMIT_S) or not observer.hears_maps(RECOVERY_LIMIT_S):
            self.failures.append('no masks or maps at the start')
            return
        killed = False
        while self._now_s() < self._seconds:
            if not killed and self._now_s() > self._seconds / 10:
                killed = True
                self._let(self._events.kill_nodes)
                for _ in range(FILLING_WALKS):
                    self._let(self._events.walk)
            for event in self._events.every_turn():
                self._rest(self._turn_s / 6)
                if self._now_s() >= self._seconds:
                    return
                self._let(event)

    def _let(self, event: Any) -> None:
        try:
            self._events.run(event)
        except (SoakError, OSError) as failure:
            self.failures.append(f'{self._now_s():.0f} s, {event.__name__}: {failure}')
            sys.stderr.write(f'{self.failures[-1]}\n')
        for node in self._nodes.all():
            if not node.is_alive():
                self.failures.append(f'{self._now_s():.0f} s: {node.name} ended by itself')
                sys.stderr.write(f'{self.failures[-1]}\n{node.tail()}\n')
                node.start()

    def _rest(self, seconds: float) -> None:
        end_s = self._now_s() + seconds
        while self._now_s() < min(end_s, self._seconds):
            self._events.observer.spin_until(lambda: False, 1.0)
            if self._now_s() - self._sampled_s >= SAMPLE_PERIOD_S:
                self._sampled_s = self._now_s()
                for node in self._nodes.all():
                    node.sample(self._sampled_s)

    def _now_s(self) -> float:
        return time.monotonic() - self._started_s


def report_of(soak: Soak, events: Events, minutes: float) -> dict[str, Any]:
    """Return what is printed."""
    observer = events.observer
    stamps = judge_stamps(
        observer.image_stamps_ns,
        observer.mask_stamps_ns,
        events.disturbed_s,
        observer.watch.pauses,
    )
    growths = {node.name: growth_of(node) for node in events.nodes.all()}
    failures = list(soak.failures)
    if stamps.without_image_undisturbed or stamps.fallen_undisturbed or not stamps.masks:
        failures.append('stamps: see masks without image and fallen ones')
    failures += [
        f'{name}: memory, descriptors or threads grew'
        for name, growth in growths.items()
        if growth is not None and not growth.is_steady()
    ]
    return {
        'minutes': minutes,
        'live_view': events.page_url or 'this version has none',
        'events': events.counts,
        'stamps': asdict(stamps),
        'maps': observer.map_count,
        'pauses_s': [round(end - begin, 1) for begin, end in observer.watch.pauses],
        'nodes': {name: as_record(growth) for name, growth in growths.items()},
        'failures': failures,
    }


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--source', default='', help='a bag or synthetic; a recorded street if empty'
    )
    parser.add_argument('--size', type=int, nargs=2, default=(240, 320), help='of the street')
    parser.add_argument('--rate', type=float, default=30.0, help='images per second')
    parser.add_argument('--model', default='auto', help='model name or file')
    parser.add_argument('--runtime', default='auto', help='fake for a light load')
    parser.add_argument('--minutes', type=float, default=60.0)
    parser.add_argument('--turn', type=float, default=60.0, help='seconds of one turn of events')
    options = parser.parse_args()
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    set_transport()
    with tempfile.TemporaryDirectory() as folder:
        nodes, page_url = make_nodes(options, Path(folder))
        rclpy.init()
        events = Events(nodes, SoakObserver(), page_url)
        for node in nodes.all():
            node.start()
        soak = Soak(events, options.minutes, options.turn)
        try:
            soak.run()
        finally:
            exit_codes = {node.name: node.stop() for node in nodes.all()}
        report = report_of(soak, events, options.minutes) | {'exit_codes': exit_codes}
        events.observer.close()
        rclpy.try_shutdown()
        if report['failures']:
            sys.stderr.writelines(f'--- {node.name}\n{node.tail()}\n' for node in nodes.all())
    print(json.dumps(report, indent=2))
    return 1 if report['failures'] or any(exit_codes.values()) else 0


if __name__ == '__main__':
    raise SystemExit(main())
