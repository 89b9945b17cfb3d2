"""Compares two models or runtimes on the same images."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import ExitStack

from espnet_ros.cli import _exit
from espnet_ros.cli._console import ERROR
from espnet_ros.cli._options import read_options
from espnet_ros.cli.jobs._comparison_report import describe, print_comparison
from espnet_ros.cli.jobs._contender import NamedContender, parse_contender
from espnet_ros.cli.jobs._models import open_any_model
from espnet_ros.cli.jobs._output import OutputFolder, write_json
from espnet_ros.cli.jobs._progress import FrameProgress
from espnet_ros.cli.jobs._read_ahead import read_ahead
from espnet_ros.config import EngineSettings, ForeignModelSettings, RuntimeSettings
from espnet_ros.evaluation.parity import Parity
from espnet_ros.exceptions import ConfigError, InputError
from espnet_ros.processing.codecs import encode_png
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmenter import Segmenter
from espnet_ros.sources import BrokenFrame, Frame, open_source, Source
import numpy as np
from numpy.typing import NDArray

_DIFFERENCE_BGR = (255, 0, 255)
_DARKENED = 3


class Comparison:
    """
    Segments the same images twice and counts where the results differ.

    :param both: what is compared
    :param folder: where pictures of the differences go, or None
    :ivar parity: what was counted
    :ivar broken: images that cannot be read
    """

    def __init__(self, both: Sequence[Segmenter], folder: OutputFolder | None) -> None:
        self.parity = Parity()
        self.broken: list[BrokenFrame] = []
        self._both = both
        self._folder = folder

    def run(self, source: Source, limit: int | None) -> None:
        """
        Compare on every frame of a source.

        :raises InputError: no frame can be read
        """
        counts = [n for n in (source.frame_count, limit) if n is not None]
        with (
            FrameProgress('comparing', min(counts, default=None)) as progress,
            read_ahead(source, limit) as frames,
        ):
            for frame in frames:
                if isinstance(frame, BrokenFrame):
                    self.broken.append(frame)
                else:
                    self._compare(frame)
                    progress.advance()
        if not self.parity.images:
            raise InputError(self.broken[0].reason if self.broken else f'{source.name}: no images')

    def _compare(self, frame: Frame) -> None:
        labels_a, labels_b = (
            segmenter.segment([frame.image_bgr])[0].labels for segmenter in self._both
        )
        image = self.parity.add(frame.name, labels_a, labels_b)
        if self._folder is not None and image.differing:
            picture = _draw_difference(frame.image_bgr, labels_a != labels_b)
            self._folder.write(f'{frame.name}_difference.png', encode_png(picture))


def run(arguments: argparse.Namespace) -> int:
    """Compare two contenders on ``arguments.source``; return the exit code."""
    foreign = read_options(arguments, ForeignModelSettings)
    common = RuntimeSettings(engine=read_options(arguments, EngineSettings))
    contenders = [parse_contender(text) for text in (arguments.first, arguments.second)]
    with ExitStack() as stack:
        source = stack.enter_context(open_source(arguments.source))
        folder = None
        if arguments.output is not None:
            folder = OutputFolder(arguments.output, arguments.source)
        both = [stack.enter_context(_open(entry, common, foreign)) for entry in contenders]
        _check_classes(*both)
        comparison = Comparison(both, folder)
        comparison.run(source, arguments.limit)
        record = describe(arguments.source, both, comparison.parity, comparison.broken)
    if arguments.json is not None:
        write_json(arguments.json, record)
    print_comparison(record)
    return _verdict(comparison, arguments.require)


def _open(
    contender: NamedContender, common: RuntimeSettings, foreign: ForeignModelSettings
) -> Segmenter:
    model = open_any_model(contender.model, foreign)
    with ERROR.status(f'loading {contender.model}'):
        return Segmenter(open_runtime(model, contender.settings(common)))


def _check_classes(first: Segmenter, second: Segmenter) -> None:
    names_a, names_b = first.label_set.names, second.label_set.names
    if names_a != names_b:
        raise ConfigError(
            f'expected two models of the same classes, found {len(names_a)} classes '
            f'({", ".join(names_a[:3])}, ...) and {len(names_b)} ({", ".join(names_b[:3])}, ...)'
        )


def _draw_difference(
    image_bgr: NDArray[np.uint8], differs: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    picture = image_bgr // _DARKENED
    picture[differs] = _DIFFERENCE_BGR
    return picture


def _verdict(comparison: Comparison, require: float | None) -> int:
    percent = 100 * comparison.parity.agreement
    for frame in comparison.broken:
        ERROR.print(f'broken: {frame.reason}', soft_wrap=True, markup=False)
    if require is not None and percent < require:
        ERROR.print(
            f'espnet-ros: {percent:.3f} % of pixels agree, required are {require:g} %',
            soft_wrap=True,
        )
        return _exit.FAILED
    return _exit.FAILED if comparison.broken else _exit.DONE
