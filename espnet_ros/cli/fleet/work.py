"""What the workers of all commands need, wherever they run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
import os
from pathlib import Path
import tempfile
import time

from espnet_ros.exceptions import InputError, ModelError
from espnet_ros.fleet.engine import Worker, WorkerFactory
from espnet_ros.fleet.stores import fetch, is_url
from espnet_ros.sources import Source


@dataclass(frozen=True)
class InFolder:
    """
    Makes workers in the folder of the command, from which relative paths are seen.

    :param factory: makes them; goes to their processes
    :param folder: where a node of a cluster has it
    """

    factory: WorkerFactory
    folder: str = field(default_factory=os.getcwd)

    def __call__(self, threads: int) -> Worker:
        """Return a worker that takes so many threads."""
        with suppress(OSError):
            os.chdir(self.folder)
        return self.factory(threads)


class TimeLimit:
    """
    Ends a unit that takes too long, at its next frame.

    :param name: of the unit, in words
    :param limit_s: None for no limit
    :raises InputError: when it is called too late
    """

    def __init__(self, name: str, limit_s: float | None, on_frame: Callable[[], None]) -> None:
        self._name = name
        self._limit_s = limit_s
        self._on_frame = on_frame
        self._began_s = time.monotonic()

    def __call__(self) -> None:
        self._on_frame()
        if self._limit_s is not None and time.monotonic() - self._began_s > self._limit_s:
            raise InputError(
                f'{self._name}: took longer than {self._limit_s:g} s (--timeout-per-file)'
            )


def check_same_model(name: str, expected: str, found: str) -> None:
    """
    Check that a worker has the model that the command has.

    :param expected: its SHA-256 as the command found it
    :param found: the worker's
    :raises ModelError: they differ
    """
    if found != expected:
        raise ModelError(
            f'{name}: expected the model that the command found ({expected[:12]}), found another '
            f'one here ({found[:12]}); install the same on every node'
        )


def check_end(source: Source, limit: int | None, name: str) -> None:
    """
    Check that a source of several comes to an end.

    :param limit: how many frames of it are wanted
    :raises InputError: it never ends
    """
    if source.frame_count is None and limit is None:
        raise InputError(f'{name}: never ends; give --limit, or take it alone')


def fetched(specs: tuple[str, ...], stack: ExitStack) -> list[str]:
    """Return sources of this machine; what lies in a store is copied for as long as it is used."""
    if not any(map(is_url, specs)):
        return list(specs)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='espnet_ros-')))
    found = []
    for index, spec in enumerate(specs):
        if not is_url(spec):
            found.append(spec)
            continue
        place = folder / str(index)
        place.mkdir()
        found.append(str(fetch(spec, place)))
    return found
