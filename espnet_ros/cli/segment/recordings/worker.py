"""Segments one unit of a fleet into a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TYPE_CHECKING

from espnet_ros.cli.fleet.work import check_end, check_same_model, fetched, TimeLimit
from espnet_ros.cli.output import OutputFolder
from espnet_ros.cli.segment.inputs import Input, open_inputs
from espnet_ros.cli.segment.journal import JOURNAL, Journal
from espnet_ros.cli.segment.model import open_segmenter
from espnet_ros.cli.segment.options import Options
from espnet_ros.cli.segment.pipeline import Outcome
from espnet_ros.cli.segment.pseudo_labels import open_dataset_of
from espnet_ros.cli.segment.source_run import SourceRun
from espnet_ros.cli.segment.summary import describe
from espnet_ros.exceptions import InputError, ModelError
from espnet_ros.fleet.output import count_files, drop, FleetOutput, SUMMARY
from espnet_ros.fleet.unit import Finished, Report, Task
from espnet_ros.segmenter import Segmenter

if TYPE_CHECKING:
    from espnet_ros.cli.segment.slides.segmenter import SlideSegmenter


class SegmentWorker:
    """
    Segments units, with one open model for all.

    :param model_sha256: of the model, which is to be the same everywhere
    :param threads: that it takes where the options name none
    """

    def __init__(
        self, options: Options, model_sha256: str, output: FleetOutput, threads: int
    ) -> None:
        runtime = replace(options.runtime, threads=options.runtime.threads or threads)
        self._options = replace(options, runtime=runtime)
        self._model_sha256 = model_sha256
        self._output = output
        self._segmenter: Segmenter | None = None
        self._slides: SlideSegmenter | None = None

    def open(self) -> None:
        """
        Open the model.

        :raises ModelError: there is none, or another than the fleet's
        :raises RuntimeUnavailableError: nothing here runs it
        """
        if self._segmenter is not None or self._slides is not None:
            return
        if self._options.slides.tile is not None:
            from espnet_ros.cli.segment.slides.segmenter import SlideSegmenter  # noqa: PLC0415

            self._slides = SlideSegmenter(self._options)
            found = self._slides.model.sha256
        else:
            self._segmenter = open_segmenter(self._options)
            found = self._segmenter.runtime.model.sha256
        try:
            check_same_model(self._options.model.model, self._model_sha256, found)
        except ModelError:
            self.close()
            raise

    def close(self) -> None:
        if self._segmenter is not None:
            self._segmenter.close()
            self._segmenter = None
        if self._slides is not None:
            self._slides.close()
            self._slides = None

    def do(self, task: Task, on_frame: Callable[[], None]) -> Finished:
        """
        Segment a unit.

        :raises InputError: a source cannot be read, or breaks off, or takes too long
        :raises OutputError: the results cannot be written
        """
        output = self._output
        limit_s = self._options.engine.timeout_per_file
        check = TimeLimit(task.unit.source, limit_s, on_frame)
        strip = None if self._slides is None else self._slides.segment_strip(task, check)
        if strip is not None:
            return Finished(task.unit, strip)
        work = output.begin(task.unit.name)
        try:
            with ExitStack() as stack:
                specs = fetched(task.unit.specs, stack)
                if self._slides is not None:
                    path = Path(specs[0]).expanduser()
                    report, summary = self._slides.segment(task, path, work, check)
                else:
                    report, summary = self._segment_frames(task, specs, work, check)
            content = {
                'unit': task.unit.name,
                'key': task.key,
                'files': task.unit.files,
                'files_written': count_files(work) + 1,
                **summary,
                'report': asdict(report),
            }
            OutputFolder(work).write_json(SUMMARY, content)
            output.keep(work, task.unit.name, task.key)
        except BaseException:
            drop(work)
            raise
        return Finished(task.unit, report)

    def _segment_frames(
        self, task: Task, specs: list[str], work: Path, on_frame: Callable[[], None]
    ) -> tuple[Report, dict[str, Any]]:
        assert self._segmenter is not None, 'open() comes first'
        options = self._options
        with ExitStack() as stack:
            inputs = open_inputs(specs, stack, options.images.image_bit_depth)
            (entry,) = inputs.opened
            check_end(entry.source, options.output.limit, task.unit.source)
            outcome = self._segment(self._segmenter, entry, work, on_frame)
        outcome.broken.extend(inputs.broken)
        report = _report(task, outcome)
        return report, describe(task.unit.specs, self._segmenter, outcome)

    def _segment(
        self, segmenter: Segmenter, entry: Input, work: Path, on_frame: Callable[[], None]
    ) -> Outcome:
        options = self._options
        folder = OutputFolder(work)
        dataset = open_dataset_of(options, folder, segmenter.label_set)
        outcome = Outcome()
        journal = Journal(work)
        try:
            run = SourceRun(
                entry, options, segmenter, folder, journal, dataset=dataset, on_frame=on_frame
            )
            journal.announce(run.names)
            if dataset is not None:
                dataset.write_label_set()
            run.run(options.output.limit, outcome)
        finally:
            journal.close()
        # The unit is whole or absent: what was done of it is of no use to another run.
        (work / JOURNAL).unlink()
        return outcome


def _report(task: Task, outcome: Outcome) -> Report:
    """
    Return what became of a unit.

    :raises KeyboardInterrupt: the user ended it
    :raises EspnetError: it ended early, or no image of it could be read
    """
    if outcome.interrupted:
        raise KeyboardInterrupt
    if outcome.error is not None:
        raise outcome.error
    if not outcome.frame_count:
        reason = outcome.broken[0].reason if outcome.broken else 'it has no frames'
        raise InputError(f'{task.unit.source}: {reason}')
    counts = tuple((i, int(n)) for i, n in enumerate(outcome.counts) if n)
    broken = tuple(frame.reason for frame in outcome.broken)
    elapsed_s = round(outcome.elapsed_s, 4)
    return Report(outcome.frame_count, elapsed_s, counts, broken, outcome.blank_count)
