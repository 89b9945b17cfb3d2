"""Segments many recordings, a folder each; a second run does what is missing."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime, timezone
from functools import partial
import json
import logging
from pathlib import Path
import secrets
from typing import Any, TYPE_CHECKING

from espnet_ros.cli import exit_codes
from espnet_ros.cli.console import ERROR, PROGRAM, say, warn
from espnet_ros.cli.fleet.progress import FleetProgress
from espnet_ros.cli.fleet.sharing import share_out
from espnet_ros.cli.output import json_bytes
from espnet_ros.cli.segment.model import read_model
from espnet_ros.cli.segment.options import Options
from espnet_ros.cli.segment.pseudo_labels import write_label_set
from espnet_ros.cli.segment.recordings.worker import SegmentWorker
from espnet_ros.cli.segment.result_key import fleet_key
from espnet_ros.cli.segment.summary import class_shares, print_shares, tell_blank, UNLABELLED
from espnet_ros.datasets.folder import IMAGES, LABELS
from espnet_ros.exceptions import EspnetError, InputError
from espnet_ros.fleet.output import FleetOutput, SUMMARY
from espnet_ros.fleet.planning import Named, with_own_names
from espnet_ros.fleet.stores import as_path, is_url
from espnet_ros.fleet.table import as_csv, as_parquet, CSV, make_rows, PARQUET
from espnet_ros.fleet.unit import Finished, Report, Task, Unit, unit_key
from espnet_ros.labels import LabelSet, parse_grouping
from espnet_ros.model_file import ModelFile
from espnet_ros.version import VERSION
import numpy as np

if TYPE_CHECKING:
    from espnet_ros.cli.segment.slides.strips import SlideStrips

FAILURES = 'failures.jsonl'

_LISTED = 20
_NAMED = 3

logger = logging.getLogger(__name__)


def run_fleet(options: Options, named: Named) -> int:
    """
    Segment units; return the exit code.

    :param named: what the units are to be called, and their sources
    :raises EspnetError: nothing can be segmented, or nothing written
    """
    options.engine.check()
    if options.slides.tile is not None:
        # tifffile may be missing.
        from espnet_ros.cli.segment.slides.segmenter import check_slides  # noqa: PLC0415

        check_slides(options)
    with ERROR.status('loading the model'):
        model = read_model(options)
    root = options.output.output
    root = root.rstrip('/') if is_url(root) else str(Path(as_path(root)).expanduser())
    output = FleetOutput(root, secrets.token_hex(4), options.output.overwrite)
    with output.held():
        fleet = _Fleet(options, named, model, output)
        return fleet.run()


class _Fleet:
    def __init__(
        self, options: Options, named: Named, model: ModelFile, output: FleetOutput
    ) -> None:
        self._options = options
        self._model = model
        self._output = output
        self._earlier = {} if options.output.overwrite else output.earlier_units()
        self._units = self._name(named)
        self._label_set = _masked_label_set(options, model)
        self._ends: dict[str, Finished] = {}
        self._error: EspnetError | None = None
        self._is_interrupted = False

    def run(self) -> int:
        self._check_root()
        tasks = self._find_tasks()
        for task in tasks:
            self._output.check_free(task.unit.name)
        write_label_set(self._options, self._output)
        with FleetProgress(len(self._units)) as progress:
            for end in self._ends.values():
                progress.finish(end)
            try:
                with closing(self._engine(tasks, progress)) as ends:
                    for end in ends:
                        self._take(end, progress)
            except KeyboardInterrupt:
                self._is_interrupted = True
            except EspnetError as error:
                self._error = error
        self._write_results(progress)
        return self._end(progress)

    def _name(self, named: Named) -> list[Unit]:
        """Return the units by their names, and tell which of them have others than wanted."""
        reserved = () if self._options.output.labels_for is None else (IMAGES, LABELS)
        earlier = {name: found.files for name, found in self._earlier.items()}
        units = with_own_names(named, earlier, reserved)
        free = with_own_names(named, reserved=reserved)
        others = [
            f'{unit.source} in {unit.name}'
            for unit, wanted in zip(units, free, strict=True)
            if unit.name != wanted.name and unit.name not in earlier
        ]
        if others:
            more = ' ...' if len(others) > _NAMED else ''
            logger.warning(
                '%s: has results of other recordings of these names; new are %s%s',
                self._output.root, ', '.join(others[:_NAMED]), more,
            )  # fmt: skip
        return units

    def _check_root(self) -> None:
        """Refuse a folder whose summary is of something else, before any work."""
        if not self._options.output.overwrite:
            self._output.check_summary()

    def _find_tasks(self) -> list[Task]:
        """Return what is to be done; the rest has an end already."""
        settings = fleet_key(self._options, self._model)
        tasks = []
        for unit in self._units:
            try:
                key = unit_key(unit, settings)
            except InputError as error:
                self._ends[unit.name] = Finished(unit, reason=str(error))
                continue
            found = self._earlier.get(unit.name)
            if found is not None and found.key == key:
                self._ends[unit.name] = Finished(unit, found.report, was_done=True)
            else:
                tasks.append(Task(unit, key))
        return tasks

    def _engine(
        self, tasks: Sequence[Task], progress: FleetProgress
    ) -> Generator[Finished, None, None]:
        work = partial(SegmentWorker, self._options, self._model.sha256, self._output)
        engine, threads = self._options.engine, self._options.runtime.threads
        strips = self._strips_of(tasks)
        if strips is None:
            yield from share_out(work, tasks, engine, progress, threads=threads)
            return
        parts = strips.split(tasks)
        ends = share_out(work, parts, engine, progress, threads=threads, follow=strips.follow)
        with closing(ends):
            yield from (end for each in ends if (end := strips.end_of_picture(each)) is not None)

    def _strips_of(self, tasks: Sequence[Task]) -> SlideStrips | None:
        """Return what shares pictures out where there are more jobs than pictures."""
        slides, jobs = self._options.slides, self._options.engine.known_jobs
        if slides.tile is None or not tasks or len(tasks) >= jobs or self._output.is_stored:
            return None
        from espnet_ros.cli.segment.slides.strips import SlideStrips  # noqa: PLC0415

        return SlideStrips(slides.tile, slides.overlap, self._output, -(-jobs // len(tasks)))

    def _take(self, end: Finished, progress: FleetProgress) -> None:
        self._ends[end.unit.name] = end
        progress.finish(end)

    def _write_results(self, progress: FleetProgress) -> None:
        """Write table, failures and, last, the summary."""
        ends = [self._ends[unit.name] for unit in self._units if unit.name in self._ends]
        unlabelled = self._options.mask.unlabelled_id
        names = dict(enumerate(self._label_set.names)) | {unlabelled: UNLABELLED}
        rows = make_rows(ends, names)
        lines = (json.dumps(line, ensure_ascii=False) + '\n' for line in self._failures())
        try:
            self._output.write(FAILURES, ''.join(lines).encode(errors='backslashreplace'))
            if rows:
                self._output.write(CSV, as_csv(rows))
                parquet = as_parquet(rows)
                if parquet is not None:
                    self._output.write(PARQUET, parquet)
            self._output.write(SUMMARY, json_bytes(self._describe(ends, progress)))
        except EspnetError as error:
            self._error = self._error or error

    def _failures(self) -> Iterator[dict[str, Any]]:
        for end in self._ends.values():
            named = {'unit': end.unit.name, 'source': end.unit.source}
            if end.report is None:
                yield {**named, 'reason': end.reason, 'kept': False}
            elif end.report.broken:
                reason = f'{len(end.report.broken)} images are broken: {end.report.broken[0]}'
                yield {**named, 'reason': reason, 'kept': True}

    def _describe(self, ends: Sequence[Finished], progress: FleetProgress) -> dict[str, Any]:
        done = [end for end in ends if end.report is not None]
        reports = _reports(done)
        return {
            'fleet': [unit.name for unit in self._units],
            'created': datetime.now(timezone.utc).isoformat(timespec='seconds'),
            'espnet_ros': VERSION,
            'complete': len(done) == len(self._units),
            'model': {'name': self._model.info.name, 'sha256': self._model.sha256},
            'engine': self._options.engine.engine,
            'units': len(self._units),
            'done': len(done),
            'done_by_earlier_runs': sum(end.was_done for end in done),
            'failed': len(ends) - len(done),
            'frames': sum(report.frames for report in reports),
            'frames_that_show_nothing': sum(report.blank_count for report in reports),
            'elapsed_s': round(progress.elapsed_s, 3),
            'frames_per_s': round(progress.rate_hz, 2),
            'classes': [
                {'id': entry.class_id, 'name': entry.name, 'share': round(entry.share, 6)}
                for entry in class_shares(
                    _counts(done), self._label_set, self._options.mask.unlabelled_id
                )
            ],
        }

    def _end(self, progress: FleetProgress) -> int:
        done = [end for end in self._ends.values() if end.report is not None]
        if done:
            shares = class_shares(_counts(done), self._label_set, self._options.mask.unlabelled_id)
            print_shares(shares)
        earlier = sum(end.was_done for end in done)
        more = f'; {earlier} done by earlier runs' if earlier else ''
        say(
            f'\n{len(done)} of {len(self._units)} recordings done in {progress.elapsed_s:.1f} s '
            f'({progress.rate_hz:.1f} frames/s) with {self._model.info.name}{more}; results in '
            f'{self._output.root}'
        )
        reports = _reports(done)
        blank_count = sum(report.blank_count for report in reports)
        where = f'; {CSV} tells in which recordings'
        tell_blank(blank_count, sum(report.frames for report in reports), where)
        if self._error is not None:
            raise self._error
        if self._is_interrupted:
            warn(f'{PROGRAM}: interrupted; the same command does the rest')
            return exit_codes.INTERRUPTED
        failures = list(self._failures())
        for failure in failures[:_LISTED]:
            warn(f'{"broken" if failure["kept"] else "failed"}: {failure["reason"]}')
        if len(failures) > _LISTED:
            warn(f'... and {len(failures) - _LISTED} more; {FAILURES} lists them')
        if failures:
            raise InputError(
                f'{len(failures)} of {len(self._units)} recordings failed or are broken in '
                f'places; {FAILURES} in {self._output.root} lists them'
            )
        return exit_codes.DONE


def _reports(ends: Iterable[Finished]) -> list[Report]:
    return [end.report for end in ends if end.report is not None]


def _counts(done: Sequence[Finished]) -> Any:
    counts = np.zeros(256, np.int64)
    for report in _reports(done):
        for class_id, pixels in report.counts:
            counts[class_id] += pixels
    return counts


def _masked_label_set(options: Options, model: ModelFile) -> LabelSet:
    label_set = model.info.label_set
    grouping = parse_grouping(options.mask.label_groups, label_set)
    return label_set if grouping is None else label_set.grouped(grouping)
