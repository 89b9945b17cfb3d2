"""
Units on Ray: actors that keep a model open, and get the next unit when they have done one.

A unit is lost with its actor, and begun again by any other: Ray restarts the actor, but a unit
that waited for that restart would wait for ever where the actor's node is gone. So no unit waits
at an actor that has not answered.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
import os
import time
from typing import Any

from espnet_ros.exceptions import last_line, RuntimeUnavailableError
from espnet_ros.fleet.engine import attempt, Worker, WorkerFactory
from espnet_ros.fleet.ray_session import opened_ray
from espnet_ros.fleet.settings import core_count, FleetSettings
from espnet_ros.fleet.unit import Finished, Task
from espnet_ros.processing.preprocess import limit_threads

_LOOK_EVERY_S = 0.5
_GRACE_S = 10.0
"""A unit ends itself at its time limit; so long after, its process is ended."""

_LOST = 5
"""So many actors may end before one was ready."""

_START_S = 300.0
"""So long may no actor of a cluster be ready before that is an error."""


class Job:
    """What runs in each of Ray's processes."""

    def __init__(self) -> None:
        self._worker: Worker | None = None

    def ready(self) -> int:
        """Return the process's number, when it can take units."""
        return os.getpid()

    def do(self, factory: WorkerFactory, threads: int, task: Task) -> Finished:
        """Do a unit. What is needed for it comes with it: restarted actors know nothing."""
        if self._worker is None:
            limit_threads(threads)
            self._worker = factory(threads)
        return attempt(self._worker, task, lambda: None)


@dataclass(eq=False)
class _Call:
    """What an actor is doing: a unit, or getting ready."""

    actor: Any
    task: Task | None
    began_s: float
    was_ended: bool = False


def run_on_ray(
    factory: WorkerFactory,
    tasks: Sequence[Task],
    settings: FleetSettings,
    follow: Callable[[Finished], Sequence[Task]] | None = None,
) -> Generator[Finished, None, None]:
    """
    Do units on Ray, and tell their ends as they come.

    :param follow: gives what more is to be done when one has ended
    :raises RuntimeUnavailableError: there is no such cluster, or nothing starts in it
    """
    with opened_ray(settings) as ray:
        yield from _Run(ray, factory, tasks, settings, follow or (lambda _: ())).ends()


class _Run:
    def __init__(
        self,
        ray: Any,
        factory: WorkerFactory,
        tasks: Sequence[Task],
        settings: FleetSettings,
        follow: Callable[[Finished], Sequence[Task]],
    ) -> None:
        self._ray = ray
        self._follow = follow
        self._factory = factory
        self._settings = settings
        self._left = deque(tasks)
        self._deaths: Counter[str] = Counter()
        self._calls: dict[Any, _Call] = {}
        self._idle: list[Any] = []
        self._is_any_ready = False
        self._lost_count = 0
        cpus = self._cpus()
        self._threads = settings.threads or cpus
        remote = ray.remote(
            num_cpus=cpus if settings.address else 1,
            num_gpus=settings.gpus_per_job,
            max_restarts=-1,
            max_task_retries=0,
        )
        self._actor_class = remote(Job)

    def _cpus(self) -> int:
        settings = self._settings
        if settings.address:
            return settings.threads or 1
        return max(1, core_count() // settings.local_jobs)

    def _jobs(self) -> int:
        settings = self._settings
        if settings.jobs or not settings.address:
            return settings.local_jobs
        there = self._ray.cluster_resources()
        count = there.get('CPU', 1.0) / self._cpus()
        if settings.gpus_per_job:
            count = min(count, there.get('GPU', 0.0) / settings.gpus_per_job)
        return max(1, int(count))

    def ends(self) -> Generator[Finished, None, None]:
        count = min(self._jobs(), len(self._left))
        for _ in range(count):
            self._await_ready(self._actor_class.remote())
        began_s = time.monotonic()
        while self._left or any(call.task for call in self._calls.values()):
            done, _ = self._ray.wait(list(self._calls), num_returns=1, timeout=_LOOK_EVERY_S)
            for reference in done:
                end = self._take(reference)
                if end is not None:
                    self._left.extend(self._follow(end))
                self._share_out()
                if end is not None:
                    yield end
            self._end_late()
            if not self._is_any_ready and time.monotonic() - began_s > _START_S:
                raise RuntimeUnavailableError(
                    f'--engine ray: no job has started in {_START_S:.0f} s; the cluster has no '
                    'room for one, or cannot import espnet_ros'
                )

    def _await_ready(self, actor: Any) -> None:
        reference = actor.ready.options(max_task_retries=-1).remote()
        self._calls[reference] = _Call(actor, None, time.monotonic())

    def _take(self, reference: Any) -> Finished | None:
        """Take what an actor has done, and give it something else to do."""
        call = self._calls.pop(reference)
        errors = self._ray.exceptions
        end: Finished | None = None
        try:
            found = self._ray.get(reference)
        except errors.RayTaskError as error:
            if call.task is None:
                raise RuntimeUnavailableError(f'--engine ray: {last_line(error)}') from error
            end = Finished(call.task.unit, reason=f'unexpected error: {last_line(error)}')
        except errors.RayError as error:
            return self._take_death(call, error)
        else:
            self._is_any_ready = True
            if call.task is not None:
                end = found
        self._idle.append(call.actor)
        return end

    def _share_out(self) -> None:
        while self._left and self._idle:
            actor, task = self._idle.pop(), self._left.popleft()
            reference = actor.do.remote(self._factory, self._threads, task)
            self._calls[reference] = _Call(actor, task, time.monotonic())

    def _take_death(self, call: _Call, error: Exception) -> Finished | None:
        """Begin a unit again whose actor died, unless it has cost too many."""
        task = call.task
        if task is None:
            self._lost_count += 1
            if self._lost_count > _LOST and not self._is_any_ready:
                raise RuntimeUnavailableError(
                    f'--engine ray: no job starts: {last_line(error)}'
                ) from error
            self._await_ready(self._actor_class.remote())
            return None
        self._await_ready(call.actor)
        unit = task.unit
        self._deaths[unit.name] += 1
        if call.was_ended:
            late = f'took longer than {self._settings.timeout_s:g} s (--timeout-per-file)'
            return Finished(unit, reason=f'{unit.source}: {late}')
        if self._deaths[unit.name] > self._settings.retries:
            return Finished(
                unit,
                reason=f'{unit.source}: its process died {self._deaths[unit.name]} times, killed '
                'from outside, out of memory, or by a fault of a library',
            )
        self._left.appendleft(task)
        return None

    def _end_late(self) -> None:
        limit_s = self._settings.timeout_s
        if limit_s is None:
            return
        for call in self._calls.values():
            late_s = time.monotonic() - call.began_s - limit_s
            if call.task is not None and late_s > _GRACE_S and not call.was_ended:
                call.was_ended = True
                self._ray.kill(call.actor, no_restart=False)
