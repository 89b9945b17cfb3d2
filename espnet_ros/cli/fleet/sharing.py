"""Units of a command, done by the engine that was requested."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

from espnet_ros import exceptions
from espnet_ros.cli.fleet.options import EngineOptions
from espnet_ros.cli.fleet.progress import FleetProgress
from espnet_ros.cli.fleet.work import InFolder
from espnet_ros.exceptions import EspnetError, InputError
from espnet_ros.fleet.engine import run_in_turn, WorkerFactory
from espnet_ros.fleet.unit import Finished, Task


@dataclass(frozen=True)
class Ended:
    """
    How the units of a command ended.

    :param ends: of those that came to an end, in the order of their tasks
    :param is_interrupted: whether the user ended the command before all had
    """

    ends: tuple[Finished, ...]
    is_interrupted: bool = False


def finish_all(
    factory: WorkerFactory,
    tasks: Sequence[Task],
    engine: EngineOptions,
    progress: FleetProgress,
    *,
    threads: int = 0,
) -> Ended:
    """
    Do tasks, and return how each ended.

    :param threads: of a worker, 0 for its share of the machine
    :raises EspnetError: one ended as all others would, or nothing starts
    """
    ends: dict[str, Finished] = {}
    is_interrupted = False
    with progress:
        try:
            shared = share_out(factory, tasks, engine, progress, threads=threads)
            with closing(shared):
                for end in shared:
                    ends[end.unit.name] = end
                    progress.finish(end)
        except KeyboardInterrupt:
            is_interrupted = True
    names = (task.unit.name for task in tasks)
    return Ended(tuple(ends[name] for name in names if name in ends), is_interrupted)


def share_out(
    factory: WorkerFactory,
    tasks: Sequence[Task],
    engine: EngineOptions,
    progress: FleetProgress,
    *,
    threads: int = 0,
    follow: Callable[[Finished], Sequence[Task]] | None = None,
) -> Generator[Finished, None, None]:
    """
    Do tasks, and tell their ends as they come.

    :param threads: of a worker, 0 for its share of the machine
    :param follow: with ray, gives what more is to be done when one has ended
    :raises EspnetError: one ended as all others would, or nothing starts
    """
    if not tasks:
        return
    placed = InFolder(factory)
    if engine.engine == 'local':
        ends = run_in_turn(placed, tasks, threads, progress.count_frame)
    else:
        # Ray may be missing, and takes a second to import.
        from espnet_ros.fleet.ray_engine import run_on_ray  # noqa: PLC0415

        ends = run_on_ray(placed, tasks, engine.settings(threads), follow)
    with closing(ends):
        for end in ends:
            if end.fatal:
                kind: type[EspnetError] = getattr(exceptions, end.fatal, InputError)
                raise kind(end.reason)
            yield end
