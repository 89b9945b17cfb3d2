"""
Measure what sharing recordings out costs: units that do nothing, or sleep, on Ray of this machine.

For example ``python scripts/measure_fleet.py --units 10000`` for units a second and the memory of
the driver, and ``--units 8 --seconds 30`` for the overhead beside one after another.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
import resource
import time

from espnet_ros.fleet.ray_engine import run_on_ray
from espnet_ros.fleet.settings import FleetSettings
from espnet_ros.fleet.unit import Finished, Report, Task, Unit


class Sleeper:
    """Does units that take a given time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def open(self) -> None:
        """Open nothing."""

    def do(self, task: Task, on_frame: Callable[[], None]) -> Finished:
        """Sleep."""
        time.sleep(self._seconds)
        on_frame()
        return Finished(task.unit, Report(1, self._seconds, ((0, 1),)))

    def close(self) -> None:
        """Close nothing."""


def main() -> None:
    """Print units a second, the share that is overhead, and the driver's memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--units', type=int, default=10000)
    parser.add_argument('--seconds', type=float, default=0.0)
    parser.add_argument('--jobs', type=int, default=2)
    options = parser.parse_args()
    seconds = options.seconds
    names = (f'unit_{index:06d}' for index in range(options.units))
    tasks = [Task(Unit(name, (f'/drives/{name}.mp4',)), name) for name in names]
    started = time.perf_counter()
    first = 0.0
    count = 0
    settings = FleetSettings(jobs=options.jobs)
    for end in run_on_ray(lambda _threads: Sleeper(seconds), tasks, settings):
        if not count:
            first = time.perf_counter() - seconds
        count += end.report is not None
    elapsed = time.perf_counter() - first
    alone = options.units * seconds / options.jobs
    print(f'start of Ray until the first unit: {first - started:.1f} s')
    print(f'{count} units in {elapsed:.2f} s: {count / elapsed:.0f} units/s, with the end of Ray')
    if alone:
        print(f'overhead beside {alone:.1f} s of work: {100 * (elapsed / alone - 1):.1f} %')
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f'driver: {peak:.0f} MB at most')


if __name__ == '__main__':
    main()
