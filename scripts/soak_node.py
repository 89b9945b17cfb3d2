#!/usr/bin/env python3
"""
Run camera, segmentation node and free space node for hours while things happen to them.

In every turn live parameters change, a bad one is refused, the segmentation node stands still for
moments, the camera for longer, the camera is killed and comes again, and the segmentation node
walks through its lifecycle. Once both nodes are killed, and once all stand still for longer than
the middleware believes a silent peer to be alive. All the time somebody watches the live view.

Every mask must carry the stamp of an image that was published, stamps must rise, diagnostics must
tell of missing images, maps and pictures of the live view must come, and memory, descriptors and
threads must not grow. Exits with 1 where one of that does not hold. The result is JSON on standard
output.
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

from espnet_ros.nodes.launching.parts import street_mount
from espnet_ros.nodes.launching.transport import set_transport
from espnet_ros.nodes.ros.topics import mask_remappings
import rclpy
from soak.events import Events, Nodes
from soak.observer import SoakObserver
from soak.processes import SoakedNode
from soak.recording import record_street
from soak.report import as_record, growth_of, judge_stamps
from soak.schedule import Soak
from soak.viewer import Viewer


def make_nodes(options: argparse.Namespace, folder: Path) -> Nodes:
    """Return the nodes, not started."""
    source = options.source
    if not source:
        source = str(folder / 'street')
        record_street(folder / 'street', tuple(options.size), options.rate)
    camera = {
        'source': source,
        'rate_hz': options.rate,
        'loop': True,
    }
    segmentation = {
        'model': options.model,
        'runtime': options.runtime,
        'fake.latency_ms': options.latency_ms,
        'power.sensor': 'none',
        'web.port': options.web_port,
    }
    free_space = street_mount() | {'max_age_ms': options.max_age_ms}
    if options.runtime == 'fake':  # its classes by brightness know nothing of the horizon
        free_space['max_horizon_conflict'] = 1.0
    mask_topics = tuple(mask_remappings(('',)).items())
    return Nodes(
        SoakedNode('camera_source_node', camera, folder),
        SoakedNode('segmentation_node', segmentation, folder),
        SoakedNode('free_space_node', free_space, folder, mask_topics),
    )


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
    if not stamps.are_right():
        failures.append('stamps: see masks without image, repeated and fallen ones')
    failures += [
        f'{name}: memory, descriptors or threads grew'
        for name, growth in growths.items()
        if growth is not None and not growth.is_steady()
    ]
    return {
        'minutes': minutes,
        'events': events.counts,
        'stamps': asdict(stamps),
        'maps': observer.map_count,
        'live_view': None if events.viewer is None else events.viewer.report(),
        'pauses_s': [round(end - begin, 1) for begin, end in observer.watch.pauses],
        'nodes': {name: as_record(growth) for name, growth in growths.items()},
        'observer_core_percent': round(100 * time.process_time() / soak.seconds, 1),
        'failures': failures,
    }


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--source', default='', help='a bag or synthetic; a recorded street if empty'
    )
    parser.add_argument('--size', type=int, nargs=2, default=(240, 320), help='of the street')
    parser.add_argument('--rate', type=float, default=30.0, help='images per second')
    parser.add_argument('--model', default='auto', help='model name or file')
    parser.add_argument('--runtime', default='auto', help='fake for a light load')
    parser.add_argument(
        '--latency-ms', type=float, default=0.0, help='milliseconds per frame of the runtime fake'
    )
    parser.add_argument(
        '--max-age-ms', type=float, default=500.0, help='of masks that become maps'
    )
    parser.add_argument(
        '--web-port', type=int, default=8093, help='of the live view that is watched; 0 for none'
    )
    parser.add_argument('--web-rate', type=int, default=5, help='pictures per second of it')
    parser.add_argument('--minutes', type=float, default=60.0)
    parser.add_argument('--turn', type=float, default=60.0, help='seconds of one turn of events')
    return parser


def main() -> int:
    """Run and report."""
    options = make_parser().parse_args()
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    set_transport()
    viewer = None
    if options.web_port:
        viewer = Viewer(f'http://127.0.0.1:{options.web_port}/', options.web_rate)
    with tempfile.TemporaryDirectory() as folder:
        nodes = make_nodes(options, Path(folder))
        rclpy.init()
        events = Events(nodes, SoakObserver(), viewer)
        for node in nodes.all():
            node.start()
        if viewer is not None:
            viewer.start()
        soak = Soak(events, options.minutes, options.turn)
        try:
            soak.run()
        finally:
            exit_codes = {node.name: node.stop() for node in nodes.all()}
            if viewer is not None:
                viewer.close()
        report = report_of(soak, events, options.minutes) | {'exit_codes': exit_codes}
        events.observer.close()
        rclpy.try_shutdown()
        if report['failures']:
            sys.stderr.writelines(f'--- {node.name}\n{node.tail()}\n' for node in nodes.all())
    print(json.dumps(report, indent=2))
    return 1 if report['failures'] or any(exit_codes.values()) else 0


if __name__ == '__main__':
    raise SystemExit(main())
