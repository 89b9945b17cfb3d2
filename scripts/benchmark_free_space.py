#!/usr/bin/env python3
"""
How long a mask takes to become a map and ranges, on one core.

    taskset -c 0 python scripts/benchmark_free_space.py --size 512,1024

The mask is of the synthetic street. Scan, map and ranges are what the free space node
does for every mask; building is done once, and again where calibration or pose change.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
import json
import os
from time import perf_counter
from typing import Any

from espnet_ros.planning.contacts import find_contacts
from espnet_ros.planning.costs import make_cost_table
from espnet_ros.planning.geometry.camera import Camera
from espnet_ros.planning.geometry.pose import mounted_pose
from espnet_ros.planning.grid import GridShape, SweepShape
from espnet_ros.planning.rolling_costmap import CostmapRules, RollingCostmap
from espnet_ros.planning.sweep import Sweep
from espnet_ros.planning.view import GroundView, ViewRules
from espnet_ros.sources.street import StreetSource
import numpy as np

GRID = GridShape(0.1, (0.0, 20.0), (-10.0, 10.0))
SWEEP = SweepShape((-np.pi / 2, np.pi / 2), 0.00873, (0.3, 20.0), 0.05)


def measure(work: Callable[[], Any], rounds: int) -> dict[str, float]:
    """Return the median and the 99th percentile of some work in milliseconds."""
    work()
    durations = []
    for _ in range(rounds):
        started = perf_counter()
        work()
        durations.append((perf_counter() - started) * 1e3)
    p50, p99 = np.percentile(durations, [50, 99])
    return {'p50_ms': round(float(p50), 2), 'p99_ms': round(float(p99), 2)}


def run(size: tuple[int, int], rounds: int) -> dict[str, dict[str, float]]:
    """Return the durations of every step."""
    source = StreetSource(size=size, seed=2)
    model, label_set = source.camera, source.label_set
    labels = source.frame(0).labels
    assert model and model.height_m and model.pitch_rad is not None
    assert label_set and labels is not None
    camera = Camera(size, (model.fx, model.fy), (model.cx, model.cy))
    pose = mounted_pose(model.height_m, pitch_rad=model.pitch_rad)
    rules = ViewRules(GRID, SWEEP, make_cost_table(label_set))
    view = GroundView(camera, pose, rules)
    scan = view.read(labels)
    cost = view.grid_cost(scan)
    costmap = RollingCostmap(GRID, CostmapRules())
    clock = iter(range(10**9))

    def map_and_ranges() -> None:
        seen = view.read(labels)
        view.grid_cost(seen)
        Sweep(SWEEP, [seen], [view.places]).ranges(100)

    def fuse() -> None:
        time_s = next(clock) / 25
        odometry = np.eye(4)
        odometry[0, 3] = 8 * time_s
        costmap.update(cost, odometry, time_s)
        costmap.cost(odometry)

    steps: dict[str, Callable[[], Any]] = {
        'map and ranges': map_and_ranges,
        'read the mask': lambda: view.read(labels),
        'map': lambda: view.grid_cost(scan),
        'ranges': lambda: Sweep(SWEEP, [scan], [view.places]).ranges(100),
        'outline': lambda: Sweep(SWEEP, [scan], [view.places]).outline(20),
        'obstacles': lambda: find_contacts(scan),
        'fusion': fuse,
        'cloud of every pixel': lambda: view.cloud(scan, labels),
    }
    results = {name: measure(work, rounds) for name, work in steps.items()}
    results['build the view'] = measure(lambda: GroundView(camera, pose, rules), 5)
    return results


def main() -> None:
    """Measure and print a table and a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--size', default='512,1024', help='HEIGHT,WIDTH of the mask.')
    parser.add_argument('--rounds', type=int, default=200)
    arguments = parser.parse_args()
    height, width = (int(part) for part in arguments.size.split(','))
    results = run((height, width), arguments.rounds)
    cores = len(os.sched_getaffinity(0))
    print(f'mask {width}x{height}, map of {GRID.shape[0]}x{GRID.shape[1]} cells, '
          f'{len(SWEEP.bearings_rad)} bearings, {cores} cores allowed')  # fmt: skip
    for name, values in results.items():
        print(f'{name:22} {values["p50_ms"]:8.2f} ms median {values["p99_ms"]:8.2f} ms p99')
    print(json.dumps(results))


if __name__ == '__main__':
    main()
