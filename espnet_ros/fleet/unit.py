"""One piece of a fleet's work: a file, or one topic of a bag; and the key of its results."""

from __future__ import annotations

from dataclasses import dataclass, field
import hashlib
import json
from typing import Any

from espnet_ros.exceptions import InputError
from espnet_ros.files import file_states
from espnet_ros.fleet.stores import is_url, state_of
from espnet_ros.sources import split_topic
from espnet_ros.version import VERSION


@dataclass(frozen=True)
class Unit:
    """
    What is segmented as a whole, or not at all.

    :param name: of the folder of its results; unique in the fleet
    :param specs: sources as :func:`open_source` takes them, or addresses in an object store;
        one, or all loose images of a command line
    """

    name: str
    specs: tuple[str, ...]

    @property
    def source(self) -> str:
        """Return what it is, in words for messages."""
        more = len(self.specs) - 1
        return f'{self.specs[0]} and {more} more' if more else self.specs[0]

    @property
    def files(self) -> list[str]:
        """Return what its sources are, whatever folder they are named from."""
        return [spec if is_url(spec) else _resolved(spec) for spec in self.specs]


@dataclass(frozen=True)
class Report:
    """
    What became of a unit.

    :param frames: that were segmented
    :param elapsed_s: from the first frame to the last
    :param counts: (id, pixels) of every id that occurs
    :param broken: reasons of images that could not be read, though the unit was finished
    :param blank_count: frames that show nothing, so that their masks mean nothing
    """

    frames: int
    elapsed_s: float
    counts: tuple[tuple[int, int], ...]
    broken: tuple[str, ...] = ()
    blank_count: int = 0

    @classmethod
    def from_dict(cls, content: Any) -> Report:
        """Build it from what the summary of a unit holds."""
        counts = tuple((int(i), int(pixels)) for i, pixels in content['counts'])
        frames, elapsed_s = int(content['frames']), float(content['elapsed_s'])
        broken = tuple(map(str, content['broken']))
        return cls(frames, elapsed_s, counts, broken, int(content.get('blank_count', 0)))


@dataclass(frozen=True)
class Finished:
    """
    The end of a unit's work.

    :param report: what became of it, or None where it failed
    :param fatal: the name of the error where every other unit would fail like it, as without
        a model
    :param was_done: whether an earlier run had done it
    """

    unit: Unit
    report: Report | None = None
    reason: str = ''
    fatal: str = ''
    was_done: bool = False


@dataclass(frozen=True)
class Task:
    """
    A unit that is to be done.

    :param key: of its results, as :func:`unit_key` gives it
    """

    unit: Unit
    key: str = field(default='')


def unit_key(unit: Unit, settings: str) -> str:
    """
    Return the key of the results of a unit, as its sources are now.

    :param settings: what the model and the settings make of it
    :raises InputError: a source is not there
    """
    states = [_state(spec) for spec in unit.specs]
    return digest([settings, VERSION, states])


def digest(content: object) -> str:
    """Return a short name of what JSON can hold."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]


def _resolved(spec: str) -> str:
    path, topic = split_topic(spec)
    return f'{path.resolve()}:{topic}' if topic else str(path.resolve())


def _state(spec: str) -> list[object]:
    if is_url(spec):
        return [spec, *state_of(spec)]
    path, topic = split_topic(spec)
    if not path.exists():
        raise InputError(f'{path}: no such file or folder')
    try:
        return [str(path.resolve()), topic, *file_states(path)]
    except OSError as error:
        raise InputError(f'{path}: cannot be read ({error.strerror})') from error
