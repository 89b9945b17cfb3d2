"""Segments a source and writes masks, overlays and a summary."""

from __future__ import annotations

from dataclasses import replace

from espnet_ros.cli import exit_codes
from espnet_ros.cli.console import ERROR, PROGRAM, say, warn
from espnet_ros.cli.output import OutputFolder
from espnet_ros.cli.progress import FrameProgress
from espnet_ros.cli.segment.birdseye import open_birdseye
from espnet_ros.cli.segment.options import Options
from espnet_ros.cli.segment.pipeline import Outcome, Pipeline
from espnet_ros.cli.segment.result_writer import ResultWriter
from espnet_ros.cli.segment.summary import class_shares, describe, print_shares, SUMMARY
from espnet_ros.cli.segment.video_output import stem_of, VideoOutput
from espnet_ros.exceptions import EspnetError, InputError
from espnet_ros.export.any_model import open_any_model
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmenter import Segmenter
from espnet_ros.sources import open_source, Source

_LISTED_BROKEN = 20


def run(options: Options) -> int:
    """Segment the source; return the exit code."""
    with open_source(options.source, bit_depth=options.images.image_bit_depth) as source:
        folder = OutputFolder(options.output.output, options.source)
        with _open_segmenter(options) as segmenter:
            outcome = _segment(options, source, segmenter, folder)
            if outcome.frame_count or outcome.broken:
                try:
                    folder.write_json(SUMMARY, describe(options.source, segmenter, outcome))
                except EspnetError as error:
                    outcome.error = outcome.error or error
            _print_result(segmenter, folder, outcome)
    return _end(folder, outcome)


def _open_segmenter(options: Options) -> Segmenter:
    settings = options.runtime
    with ERROR.status('loading the model'):
        model = open_any_model(options.model.model, options.model.foreign)
        if options.model.exact:
            model = model.with_float_image()
            if settings.precision == 'auto':
                settings = replace(settings, precision='fp32')
        segmenter = Segmenter(open_runtime(model, settings), options.mask)
        segmenter.warm_up()
    return segmenter


def _segment(
    options: Options, source: Source, segmenter: Segmenter, folder: OutputFolder
) -> Outcome:
    is_video = source.size is not None
    stem = stem_of(options.source) if is_video else None
    wanted = options.output
    if wanted.masks is None:
        wanted = replace(wanted, masks=not is_video or source.is_stamped)
    birdseye = open_birdseye(options, source, segmenter)
    label_set = segmenter.label_set
    writer = ResultWriter(
        folder,
        wanted,
        options.style,
        label_set,
        stem,
        unlabelled_id=options.mask.unlabelled_id,
        birdseye=birdseye,
    )
    video = VideoOutput(folder, stem, source.rate_hz)
    pipeline = Pipeline(segmenter, writer, video, wanted.confidence)
    counts = [n for n in (source.frame_count, wanted.limit) if n is not None]
    with FrameProgress('segmenting', min(counts, default=None)) as progress:
        return pipeline.run(source, wanted.limit, progress)


def _print_result(segmenter: Segmenter, folder: OutputFolder, outcome: Outcome) -> None:
    if not outcome.frame_count:
        return
    print_shares(
        class_shares(outcome.counts, segmenter.label_set, segmenter.settings.unlabelled_id)
    )
    runtime = segmenter.runtime
    say(
        f'\n{_frames(outcome.frame_count)} in {outcome.elapsed_s:.1f} s '
        f'({outcome.rate_hz:.1f} frames/s) with {runtime.model.info.name} on {runtime.name} '
        f'{runtime.precision}; results in {folder.path}'
    )


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
        warn(f'{PROGRAM}: interrupted; {kept}')
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
