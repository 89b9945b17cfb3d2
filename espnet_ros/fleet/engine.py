"""What an engine is: it gives each task to a worker, and tells how each ended."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
import os
from typing import Protocol

from espnet_ros.exceptions import (
    ConfigError,
    EspnetError,
    ModelError,
    OutputError,
    RuntimeUnavailableError,
)
from espnet_ros.fleet.unit import Finished, Task


@dataclass(frozen=True, kw_only=True)
class FleetSettings:
    """
    How the units of a fleet are shared out.

    :param jobs: workers at a time; 0 for one a core, or one a share of a GPU
    :param address: of a Ray cluster, ``auto`` for the one of this machine, empty for one of
        one's own, which ends with the run
    :param gpus_per_job: GPUs, or the share of one, that each worker has
    :param retries: how often a unit is begun again whose worker died
    :param timeout_s: after which a unit fails, or None
    :param threads: CPU threads of a worker; 0 for its share of the machine
    """

    jobs: int = 0
    address: str = ''
    gpus_per_job: float = 0.0
    retries: int = 3
    timeout_s: float | None = None
    threads: int = 0

    @property
    def local_jobs(self) -> int:
        """Return the jobs of a machine of one's own."""
        if self.jobs:
            return self.jobs
        return core_count() if not self.gpus_per_job else max(1, int(1 / self.gpus_per_job))


def core_count() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0))


_FATAL = (ConfigError, ModelError, OutputError, RuntimeUnavailableError)
"""Errors that every other unit would end with too."""


class Worker(Protocol):
    """Does units, one after another; keeps open what they share."""

    def open(self) -> None:
        """Open what all units need."""

    def do(self, task: Task, on_frame: Callable[[], None]) -> Finished:
        """Do a unit; its errors are raised."""

    def close(self) -> None:
        """Close what was opened."""


WorkerFactory = Callable[[int], Worker]
"""Makes a worker that may take so many threads; goes to other processes."""


def attempt(worker: Worker, task: Task, on_frame: Callable[[], None]) -> Finished:
    """Do a unit, and return its errors as its end."""
    try:
        worker.open()
    except EspnetError as error:
        return Finished(task.unit, reason=str(error), fatal=type(error).__name__)
    try:
        return worker.do(task, on_frame)
    except EspnetError as error:
        fatal = type(error).__name__ if isinstance(error, _FATAL) else ''
        return Finished(task.unit, reason=str(error), fatal=fatal)


def run_in_turn(
    factory: WorkerFactory, tasks: Sequence[Task], threads: int, on_frame: Callable[[], None]
) -> Generator[Finished, None, None]:
    """
    Do one unit after another in this process.

    :param threads: of the worker; 0 for every core
    :param on_frame: is called with each frame
    """
    worker = factory(threads)
    try:
        for task in tasks:
            yield attempt(worker, task, on_frame)
    finally:
        worker.close()
