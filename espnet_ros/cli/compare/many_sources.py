"""Many sources, a unit each, or some images of one each where there are more jobs than sources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
import time

from espnet_ros.cli.compare.comparison import Comparison, joined
from espnet_ros.cli.compare.options import Options
from espnet_ros.cli.compare.pair import Pair, read_models
from espnet_ros.cli.fleet.many import Many
from espnet_ros.cli.fleet.progress import FleetProgress
from espnet_ros.cli.fleet.sharing import finish_all
from espnet_ros.cli.fleet.work import check_same_model, TimeLimit
from espnet_ros.cli.segment.inputs import open_inputs
from espnet_ros.exceptions import InputError
from espnet_ros.fleet.output import FleetOutput
from espnet_ros.fleet.stores import is_url
from espnet_ros.fleet.unit import Finished, Report, Task, Unit
from espnet_ros.model_file import ModelFile
from espnet_ros.sources import ImageFilesSource


@dataclass(frozen=True, kw_only=True)
class ComparedReport(Report):
    """What became of a source, or of some images of it."""

    comparison: Comparison


@dataclass(frozen=True)
class ImagesTask(Task):
    """
    Images of a source, or all of it.

    :param folder: of pictures of differences, or nothing where they are not wanted
    :param places: of the first image and the one behind the last, or None for all
    """

    folder: str = ''
    places: tuple[int, int] | None = None


class CompareWorker:
    """
    Compares two open models, a unit after another.

    :param sha256: of both models, which are to be the same everywhere
    :param threads: of each model
    """

    def __init__(self, options: Options, sha256: tuple[str, str], threads: int) -> None:
        self._options = options
        self._sha256 = sha256
        self._threads = threads
        self._pair: Pair | None = None

    def open(self) -> None:
        """
        Open both models.

        :raises ModelError: there is none, or another than the command's
        :raises RuntimeUnavailableError: nothing here runs it
        """
        if self._pair is None:
            options = self._options
            models = read_models(options)
            names = (options.first, options.second)
            for name, expected, model in zip(names, self._sha256, models, strict=True):
                check_same_model(name, expected, model.sha256)
            self._pair = Pair(options, models, self._threads)

    def do(self, task: Task, on_frame: Callable[[], None]) -> Finished:
        """
        Compare both on a source.

        :raises InputError: it cannot be read, or takes too long
        """
        assert self._pair is not None and isinstance(task, ImagesTask), 'open() comes first'
        unit, limit_s = task.unit, self._options.engine.timeout_per_file
        write = FleetOutput(task.folder, '').write if task.folder else None
        began_s = time.perf_counter()
        found = self._pair.compare(
            unit,
            write,
            TimeLimit(unit.source, limit_s, on_frame),
            None if task.places is None else range(*task.places),
        )
        elapsed_s = round(time.perf_counter() - began_s, 4)
        report = ComparedReport(len(found.parity.images), elapsed_s, (), comparison=found)
        return Finished(unit, report)

    def close(self) -> None:
        if self._pair is not None:
            self._pair.close()


def compare_many(
    options: Options, units: Sequence[Unit], models: tuple[ModelFile, ModelFile]
) -> Many[Comparison]:
    """
    Compare on sources by the engine that is requested.

    :raises EspnetError: none can be compared, as where nothing runs the models
    """
    parts = -(-options.engine.known_jobs // len(units))
    tasks = {unit: _tasks_of(unit, options, len(units), parts) for unit in units}
    every = [task for own in tasks.values() for task in own]
    progress = FleetProgress(len(every), 'comparing', 'sources')
    work = partial(CompareWorker, options, (models[0].sha256, models[1].sha256))
    ended = finish_all(work, every, options.engine, progress)
    ends = {end.unit: end for end in ended.ends}
    found: dict[Unit, Comparison] = {}
    failed: dict[Unit, str] = {}
    for unit, own in tasks.items():
        own_ends = [ends[task.unit] for task in own if task.unit in ends]
        reasons = [end.reason for end in own_ends if end.report is None]
        if reasons:
            failed[unit] = reasons[0]
        elif len(own_ends) == len(own):
            try:
                found[unit] = _joined(unit, own_ends)
            except InputError as error:
                failed[unit] = str(error)
    names = [unit.name for unit in found]
    total = joined(f'{len(found)} sources', list(found.values()), names) if found else None
    return Many(found, failed, total, ended.is_interrupted)


def _joined(unit: Unit, ends: Sequence[Finished]) -> Comparison:
    reports = (end.report for end in ends)
    parts = [each.comparison for each in reports if isinstance(each, ComparedReport)]
    comparison = joined(unit.source, parts)
    comparison.check()
    return comparison


def _tasks_of(unit: Unit, options: Options, count: int, parts: int) -> list[ImagesTask]:
    """Return a source whole, or where it is files of images, and jobs would idle, in parts."""
    folder = ''
    if options.output is not None:
        path = options.output.expanduser() / (unit.name if count > 1 else '')
        path.mkdir(parents=True, exist_ok=True)
        folder = str(path)
    make = partial(ImagesTask, folder=folder)
    files = _count_files(unit) if parts > 1 else 0
    files = files if options.limit is None else min(files, options.limit)
    parts = min(parts, files)
    if parts < 2:
        return [make(unit)]
    bounds = [files * index // parts for index in range(parts + 1)]
    return [
        make(Unit(f'{unit.name}, images {a} to {b - 1}', unit.specs), places=(a, b))
        for a, b in pairwise(bounds)
    ]


def _count_files(unit: Unit) -> int:
    """Return how many files of images a source has; 0 where it is none of such."""
    if any(map(is_url, unit.specs)):
        return 0
    with ExitStack() as stack:
        try:
            source = open_inputs(unit.specs, stack).opened[0].source
        except InputError:
            return 0
        return len(source.paths) if isinstance(source, ImageFilesSource) else 0
