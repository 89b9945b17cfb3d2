"""What an engine is: it gives each task to a worker, and tells how each ended."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Protocol

from espnet_ros.exceptions import (
    ConfigError,
    EspnetError,
    ModelError,
    OutputError,
    RuntimeUnavailableError,
)
from espnet_ros.fleet.unit import Finished, Task

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
