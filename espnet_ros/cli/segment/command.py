"""Segments sources and writes masks, overlays and a summary."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from espnet_ros.cli import exit_codes
from espnet_ros.cli.console import ERROR, PROGRAM, say, warn
from espnet_ros.cli.output import OutputFolder
from espnet_ros.cli.recorder import open_recorder
from espnet_ros.cli.segment.inputs import Inputs, open_inputs
from espnet_ros.cli.segment.journal import Journal
from espnet_ros.cli.segment.model import open_segmenter
from espnet_ros.cli.segment.options import Options
from espnet_ros.cli.segment.pipeline import Outcome
from espnet_ros.cli.segment.pseudo_labels import open_dataset_of, settled
from espnet_ros.cli.segment.recordings.run import run_fleet
from espnet_ros.cli.segment.source_run import SourceRun
from espnet_ros.cli.segment.summary import (
    class_shares,
    describe,
    print_shares,
    SUMMARY,
    tell_blank,
)
from espnet_ros.exceptions import ConfigError, EspnetError, InputError
from espnet_ros.files import held
from espnet_ros.fleet.manifest import Entry, read_entries
from espnet_ros.fleet.planning import name_sources
from espnet_ros.fleet.stores import as_path, is_url
from espnet_ros.segmenter import Segmenter

if TYPE_CHECKING:
    from espnet_ros.recording.frame_recorder import FrameRecorder

_LISTED_BROKEN = 20


def run(options: Options) -> int:
    """Segment the sources; return the exit code."""
    options = settled(options)
    entries = read_entries(options.sources)
    named = name_sources(entries, joins_images=options.slides.tile is None)
    if _is_fleet(options, entries, len(named)):
        if options.recording.bag is not None:
            raise ConfigError(
                f'--bag: expected one source, found {len(named)}; record each by itself'
            )
        return run_fleet(options, named)
    options.engine.check()
    sources = named[0][1]
    with ExitStack() as stack:
        inputs = open_inputs(sources, stack, options.images.image_bit_depth)
        folder = OutputFolder(Path(as_path(options.output.output)), *sources)
        stack.enter_context(held(folder.path))
        with ERROR.status('loading the model'):
            segmenter = stack.enter_context(open_segmenter(options))
        journal = Journal(folder.path, overwrite=options.output.overwrite)
        stack.callback(journal.close)
        folder.may_replace = journal.may_replace
        recorder = None
        if options.recording.bag is not None:
            replaces = options.output.overwrite
            recorder = open_recorder(
                options.recording.bag, segmenter, stack, options.style, replaces=replaces
            )
        outcome = _segment(options, inputs, segmenter, folder, journal, recorder=recorder)
        if outcome.frame_count or outcome.broken:
            try:
                folder.write_json(SUMMARY, describe(options.sources, segmenter, outcome))
                journal.end((SUMMARY,))
            except EspnetError as error:
                outcome.error = outcome.error or error
        _print_result(segmenter, folder, outcome)
    return _end(folder, outcome)


def _is_fleet(options: Options, entries: Sequence[Entry], count: int) -> bool:
    """Tell whether each source gets a folder: one of several, or listed, or far away."""
    places = (options.output.output, *(entry.spec for entry in entries))
    return (
        count > 1
        or options.slides.tile is not None
        or options.engine.engine != 'local'
        or any(entry.is_listed for entry in entries)
        or any(map(is_url, places))
    )


def _segment(
    options: Options,
    inputs: Inputs,
    segmenter: Segmenter,
    folder: OutputFolder,
    journal: Journal,
    *,
    recorder: FrameRecorder | None,
) -> Outcome:
    outcome = Outcome(broken=list(inputs.broken))
    dataset = open_dataset_of(options, folder, segmenter.label_set)
    own = [SUMMARY] if dataset is None else [SUMMARY, *dataset.new_files]
    (entry,) = inputs.opened
    run = SourceRun(entry, options, segmenter, folder, journal, dataset=dataset, recorder=recorder)
    journal.announce([*own, *run.names])
    if dataset is not None:
        dataset.write_label_set()
    run.run(options.output.limit, outcome)
    return outcome


def _print_result(segmenter: Segmenter, folder: OutputFolder, outcome: Outcome) -> None:
    if not outcome.frame_count:
        return
    print_shares(
        class_shares(outcome.counts, segmenter.label_set, segmenter.settings.unlabelled_id)
    )
    runtime = segmenter.runtime
    earlier = outcome.earlier_count
    more = f'; {_frames(earlier)} of earlier runs' if earlier else ''
    say(
        f'\n{_frames(outcome.new_count)} in {outcome.elapsed_s:.1f} s '
        f'({outcome.rate_hz:.1f} frames/s) with {runtime.model.info.name} on {runtime.name} '
        f'{runtime.precision}{more}; results in {folder.path}'
    )
    tell_blank(outcome.blank_count, outcome.frame_count)


def _end(folder: OutputFolder, outcome: Outcome) -> int:
    """
    Return the exit code of a run that came to its end or was interrupted.

    :raises EspnetError: an error ended it, or images are broken
    """
    kept = f'{_frames(outcome.frame_count)} kept in {folder.path}'
    if outcome.error is not None:
        more = f' ({kept})' if outcome.frame_count else ''
        raise type(outcome.error)(f'{outcome.error}{more}') from outcome.error
    if outcome.interrupted:
        warn(f'{PROGRAM}: interrupted; {kept}; the same command does the rest')
        return exit_codes.INTERRUPTED
    if outcome.broken:
        raise InputError(_broken_message(outcome))
    return exit_codes.DONE


def _broken_message(outcome: Outcome) -> str:
    broken = outcome.broken
    if len(broken) == 1:
        return broken[0].reason
    for frame in broken[:_LISTED_BROKEN]:
        warn(f'broken: {frame.reason}')
    if len(broken) > _LISTED_BROKEN:
        warn(f'... and {len(broken) - _LISTED_BROKEN} more')
    total = len(broken) + outcome.frame_count
    return f'{len(broken)} of {total} images could not be segmented; {SUMMARY} lists them'


def _frames(count: int) -> str:
    return f'{count} frame' if count == 1 else f'{count} frames'
