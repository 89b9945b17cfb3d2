"""Compares two models or runtimes on the same images."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from espnet_ros.benchmark.contender import NamedContender, parse_contender
from espnet_ros.cli import exit_codes
from espnet_ros.cli.compare.options import Options
from espnet_ros.cli.compare.report import describe, print_comparison
from espnet_ros.cli.console import ERROR, PROGRAM, warn
from espnet_ros.cli.output import check_output, OutputFolder, write_json
from espnet_ros.cli.progress import FrameProgress
from espnet_ros.config import ForeignModelSettings, RuntimeSettings
from espnet_ros.evaluation.parity import Parity
from espnet_ros.exceptions import ConfigError, InputError
from espnet_ros.export.any_model import open_any_model
from espnet_ros.processing.codecs import encode_png
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmenter import Segmenter
from espnet_ros.sources import BrokenFrame, Frame, open_source, Source
from espnet_ros.sources.read_ahead import read_ahead

_DIFFERENCE_BGR = (255, 0, 255)
_DARKENED = 3


def run(options: Options) -> int:
    """Compare two contenders on a source; return the exit code."""
    check_output(options.json, '--json')
    common = RuntimeSettings(engine=options.engine)
    contenders = [parse_contender(text) for text in (options.first, options.second)]
    parity, broken = Parity(), []
    with ExitStack() as stack:
        source = stack.enter_context(open_source(options.source))
        folder = None if options.output is None else OutputFolder(options.output, options.source)
        both = [stack.enter_context(_open(entry, common, options.foreign)) for entry in contenders]
        _check_classes(*both)
        counts = [n for n in (source.frame_count, options.limit) if n is not None]
        progress = stack.enter_context(FrameProgress('comparing', min(counts, default=None)))
        for frame in stack.enter_context(read_ahead(source, options.limit)):
            if isinstance(frame, BrokenFrame):
                broken.append(frame)
            else:
                _compare(frame, both, parity, folder)
                progress.advance()
        _check_found(source, parity, broken)
    print_comparison(both, parity)
    if options.json is not None:
        write_json(options.json, describe(options.source, both, parity, broken))
    return _verdict(100 * parity.agreement, broken, options.require)


def _open(
    contender: NamedContender, common: RuntimeSettings, foreign: ForeignModelSettings
) -> Segmenter:
    with ERROR.status(f'loading {contender.model}'):
        model = open_any_model(contender.model, foreign)
        return Segmenter(open_runtime(model, contender.settings(common)))


def _check_classes(first: Segmenter, second: Segmenter) -> None:
    names_a, names_b = first.label_set.names, second.label_set.names
    if names_a != names_b:
        raise ConfigError(
            f'expected two models of the same classes, found {len(names_a)} classes '
            f'({", ".join(names_a[:3])}, ...) and {len(names_b)} ({", ".join(names_b[:3])}, ...)'
        )


def _compare(
    frame: Frame, both: Sequence[Segmenter], parity: Parity, folder: OutputFolder | None
) -> None:
    labels_a, labels_b = (segmenter.segment([frame.image_bgr])[0].labels for segmenter in both)
    image = parity.add(frame.name, labels_a, labels_b)
    if folder is not None and image.differing:
        picture = frame.image_bgr // _DARKENED
        picture[labels_a != labels_b] = _DIFFERENCE_BGR
        folder.write(f'{frame.name}_difference.png', encode_png(picture))


def _check_found(source: Source, parity: Parity, broken: list[BrokenFrame]) -> None:
    if not parity.images:
        raise InputError(broken[0].reason if broken else f'{source.name}: no images')


def _verdict(percent: float, broken: list[BrokenFrame], require: float | None) -> int:
    for frame in broken:
        warn(f'broken: {frame.reason}')
    if require is not None and percent < require:
        warn(f'{PROGRAM}: {percent:.3f} % of pixels agree, required are {require:g} %')
        return exit_codes.FAILED
    return exit_codes.FAILED if broken else exit_codes.DONE
