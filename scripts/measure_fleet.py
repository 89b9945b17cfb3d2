#!/usr/bin/env python3
"""
Measure what sharing recordings out costs, on Ray of this machine.

``python scripts/measure_fleet.py --units 10000`` tells units a second and the memory of the
driver, with units that do nothing. ``--units 6 --seconds 30`` tells how much longer a recording
takes on Ray than in one process, each with one worker, where the network takes 30 s for it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
import resource
from statistics import median
import tempfile
import time

from check_fleet import Fleet, FRAMES
from espnet_ros.cli.options import add_options, read_options
from espnet_ros.cli.segment.model import read_model
from espnet_ros.cli.segment.options import Options
from espnet_ros.cli.segment.recordings.worker import SegmentWorker
from espnet_ros.config.runtime import FakeSettings
from espnet_ros.fleet.engine import run_in_turn
from espnet_ros.fleet.output import FleetOutput
from espnet_ros.fleet.ray_engine import run_on_ray
from espnet_ros.fleet.settings import FleetSettings
from espnet_ros.fleet.unit import Finished, Report, Task, Unit


class Idler:
    """Does units that are nothing."""

    def open(self) -> None:
        """Open nothing."""

    def do(self, task: Task, on_frame: Callable[[], None]) -> Finished:
        """Do nothing."""
        on_frame()
        return Finished(task.unit, Report(1, 0.0, ((0, 1),)))

    def close(self) -> None:
        """Close nothing."""


def measure_sharing(units: int, jobs: int) -> None:
    """Print units a second, and the driver's memory."""
    names = (f'unit_{index:06d}' for index in range(units))
    tasks = [Task(Unit(name, (f'/drives/{name}.mp4',)), name) for name in names]
    started = time.perf_counter()
    times = []
    for end in run_on_ray(lambda _threads: Idler(), tasks, FleetSettings(jobs=jobs)):
        assert end.report is not None, end.reason
        times.append(time.perf_counter())
    elapsed = times[-1] - times[0]
    print(f'start of Ray until the first unit: {times[0] - started:.1f} s')
    print(f'{len(times)} units in {elapsed:.2f} s: {len(times) / elapsed:.0f} units/s')
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f'driver: {peak:.0f} MB at most')


def measure_overhead(units: int, seconds: float) -> None:
    """Print what a recording takes in one process and on Ray, from one end to the next."""
    with tempfile.TemporaryDirectory(prefix='fleet-') as folder:
        fleet = Fleet(Path(folder, 'f'), units, broken=0)
        fleet.make()
        alone, shared = (_unit_seconds(fleet, seconds, engine) for engine in ('local', 'ray'))
    print(f'a recording takes {alone:.3f} s in one process, {shared:.3f} s on Ray: '
          f'{100 * (shared / alone - 1):.2f} % more')  # fmt: skip


def _unit_seconds(fleet: Fleet, seconds: float, engine: str) -> float:
    output = FleetOutput(str(fleet.folder / engine), 'measured')
    words = ['-', '--model', str(fleet.folder / 'network.onnx'), '--output', output.root]
    parser = argparse.ArgumentParser()
    add_options(parser, Options)
    options = read_options(
        parser.parse_args([*words, '--runtime', 'fake', '--masks', '--no-overlay']), Options
    )
    fake = FakeSettings(latency_ms=1e3 * seconds / FRAMES)
    options = replace(options, runtime=replace(options.runtime, fake=fake, threads=1))
    work = partial(SegmentWorker, options, read_model(options).sha256, output)
    tasks = [Task(Unit(path.stem, (str(path),)), path.stem) for path in fleet.paths()]
    times = []
    with output.held():
        if engine == 'local':
            ends = run_in_turn(work, tasks, 1, lambda: None)
        else:
            ends = run_on_ray(work, tasks, FleetSettings(jobs=1, threads=1))
        for end in ends:
            assert end.report is not None, end.reason
            times.append(time.perf_counter())
    return median(later - earlier for earlier, later in pairwise(times))


def main() -> None:
    """Measure the one or the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--units', type=int, default=10000)
    parser.add_argument('--seconds', type=float, default=0.0)
    parser.add_argument('--jobs', type=int, default=2)
    options = parser.parse_args()
    if options.seconds:
        measure_overhead(options.units, options.seconds)
    else:
        measure_sharing(options.units, options.jobs)


if __name__ == '__main__':
    main()
