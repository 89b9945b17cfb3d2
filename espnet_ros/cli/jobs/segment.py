"""Segments a source and writes masks, overlays and a summary."""

from __future__ import annotations

import argparse
from dataclasses import replace

from espnet_ros.cli import _exit
from espnet_ros.cli._console import ERROR, OUT
from espnet_ros.cli._options import given, read_options
from espnet_ros.cli.jobs._birdseye import open_birdseye
from espnet_ros.cli.jobs._frames import FrameFinisher, Wanted
from espnet_ros.cli.jobs._models import open_any_model
from espnet_ros.cli.jobs._output import OutputFolder
from espnet_ros.cli.jobs._pipeline import Outcome, Pipeline
from espnet_ros.cli.jobs._progress import FrameProgress
from espnet_ros.cli.jobs._shares import class_shares, print_shares
from espnet_ros.cli.jobs._summary import describe, SUMMARY
from espnet_ros.cli.jobs._video import stem_of, VideoOutput
from espnet_ros.config import (
    ForeignModelSettings,
    ImageSettings,
    MaskSettings,
    OverlaySettings,
    RuntimeSettings,
)
from espnet_ros.exceptions import EspnetError, InputError
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmenter import Segmenter
from espnet_ros.sources import open_source, Source

_LISTED_BROKEN = 20


def run(arguments: argparse.Namespace) -> int:
    """Segment ``arguments.source``; return the exit code."""
    masks = read_options(arguments, MaskSettings)
    images = read_options(arguments, ImageSettings)
    with open_source(arguments.source, bit_depth=images.image_bit_depth) as source:
        folder = OutputFolder(arguments.output, arguments.source)
        with _open_segmenter(arguments, masks) as segmenter:
            outcome = _segment(arguments, source, segmenter, folder)
            if outcome.frame_count or outcome.broken:
                _write_summary(arguments, segmenter, folder, outcome)
            _print_result(segmenter, folder, outcome)
    return _end(folder, outcome)


def _open_segmenter(arguments: argparse.Namespace, masks: MaskSettings) -> Segmenter:
    settings = read_options(arguments, RuntimeSettings)
    model = open_any_model(arguments.model, read_options(arguments, ForeignModelSettings))
    if arguments.exact:
        model = model.with_float_image()
        if 'precision' not in given(arguments, RuntimeSettings):
            settings = replace(settings, precision='fp32')
    with ERROR.status('loading the model'):
        segmenter = Segmenter(open_runtime(model, settings), masks)
        segmenter.warm_up()
    return segmenter


def _segment(
    arguments: argparse.Namespace, source: Source, segmenter: Segmenter, folder: OutputFolder
) -> Outcome:
    is_video = source.size is not None
    stem = stem_of(arguments.source) if is_video else None
    is_film = is_video and not source.is_stamped
    masks = not is_film if arguments.masks is None else arguments.masks
    wanted = Wanted(masks, arguments.overlay, arguments.confidence)
    overlay = read_options(arguments, OverlaySettings)
    birdseye = open_birdseye(arguments, source, segmenter, overlay.alpha)
    finisher = FrameFinisher(folder, wanted, overlay, segmenter.label_set, stem, birdseye=birdseye)
    video = VideoOutput(folder, stem, source.rate_hz)
    pipeline = Pipeline(segmenter, finisher, video, wanted.confidence)
    counts = [n for n in (source.frame_count, arguments.limit) if n is not None]
    with FrameProgress('segmenting', min(counts, default=None)) as progress:
        return pipeline.run(source, arguments.limit, progress)


def _write_summary(
    arguments: argparse.Namespace,
    segmenter: Segmenter,
    folder: OutputFolder,
    outcome: Outcome,
) -> None:
    try:
        folder.write_json(SUMMARY, describe(arguments.source, segmenter, outcome))
    except EspnetError as error:
        outcome.error = outcome.error or error


def _print_result(segmenter: Segmenter, folder: OutputFolder, outcome: Outcome) -> None:
    if outcome.frame_count:
        unlabelled_id = segmenter.settings.unlabelled_id
        print_shares(class_shares(outcome.counts, segmenter.label_set, unlabelled_id))
        rate_hz = outcome.frame_count / max(outcome.elapsed_s, 1e-9)
        runtime = segmenter.runtime
        OUT.print(
            f'\n{_frames(outcome.frame_count)} in {outcome.elapsed_s:.1f} s '
            f'({rate_hz:.1f} frames/s) with {runtime.model.info.name} on {runtime.name} '
            f'{runtime.precision}; results in {folder.path}',
            soft_wrap=True,
            markup=False,
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
        ERROR.print(f'espnet-ros: interrupted; {kept}', soft_wrap=True, markup=False)
        return _exit.INTERRUPTED
    if outcome.broken:
        raise InputError(_broken_message(outcome))
    return _exit.DONE


def _broken_message(outcome: Outcome) -> str:
    broken = outcome.broken
    if len(broken) == 1:
        return broken[0].reason
    for frame in broken[:_LISTED_BROKEN]:
        ERROR.print(f'broken: {frame.reason}', soft_wrap=True, markup=False)
    if len(broken) > _LISTED_BROKEN:
        ERROR.print(f'... and {len(broken) - _LISTED_BROKEN} more')
    total = len(broken) + outcome.frame_count
    return f'{len(broken)} of {total} images could not be segmented; {SUMMARY} lists them'


def _frames(count: int) -> str:
    return f'{count} frame' if count == 1 else f'{count} frames'
