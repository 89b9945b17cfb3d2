"""Two contenders, open, that segment the same images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from espnet_ros.benchmark.contender import parse_contender
from espnet_ros.cli.compare.comparison import Comparison, Side
from espnet_ros.cli.compare.options import Options
from espnet_ros.cli.console import ERROR
from espnet_ros.cli.fleet.work import check_end, fetched
from espnet_ros.cli.progress import FrameProgress
from espnet_ros.cli.segment.inputs import open_inputs
from espnet_ros.config import RuntimeSettings
from espnet_ros.evaluation.parity import Parity
from espnet_ros.exceptions import ConfigError
from espnet_ros.export.any_model import open_any_model
from espnet_ros.fleet.unit import Unit
from espnet_ros.model_file import ModelFile
from espnet_ros.processing.codecs import encode_png
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmenter import Segmenter
from espnet_ros.sources import BrokenFrame, Frame, ImageFilesSource
from espnet_ros.sources.read_ahead import read_ahead

_DIFFERENCE_BGR = (255, 0, 255)
_DARKENED = 3

Write = Callable[[str, bytes], object]
"""Writes a picture of differences under its name."""


def read_models(options: Options) -> tuple[ModelFile, ModelFile]:
    """
    Return the models of both contenders.

    :raises ModelError: there is none of that name
    :raises ConfigError: they are not of the same classes
    """
    models = []
    for text in (options.first, options.second):
        contender = parse_contender(text)
        with ERROR.status(f'loading {contender.model}'):
            models.append(open_any_model(contender.model, options.foreign))
    first, second = models
    a, b = first.info.label_set.names, second.info.label_set.names
    if a != b:
        raise ConfigError(
            f'expected two models of the same classes, found {len(a)} classes '
            f'({", ".join(a[:3])}, ...) and {len(b)} ({", ".join(b[:3])}, ...)'
        )
    return first, second


class Pair:
    """
    Compares two contenders, source by source.

    :param threads: of each; 0 for all cores
    :raises RuntimeUnavailableError: nothing here runs one of them
    """

    def __init__(
        self, options: Options, models: tuple[ModelFile, ModelFile], threads: int = 0
    ) -> None:
        self._limit = options.limit
        common = RuntimeSettings(engine=options.tensorrt, threads=threads)
        with ExitStack() as stack:
            both = []
            for text, model in zip((options.first, options.second), models, strict=True):
                runtime = open_runtime(model, parse_contender(text).settings(common))
                both.append(stack.enter_context(Segmenter(runtime)))
            self._both = both[0], both[1]
            self._stack = stack.pop_all()

    def compare(
        self,
        unit: Unit,
        write: Write | None,
        on_frame: Callable[[], None] | None = None,
        places: Sequence[int] | None = None,
    ) -> Comparison:
        """
        Compare both on a source.

        :param write: writes a picture of each image that differs, where those are wanted
        :param on_frame: is called with each image; None shows a bar
        :param places: of the images that are wanted, where they are files; None for all
        :raises InputError: the source cannot be read, or never ends where it is one of several
        """
        parity, first = Parity(), not places or not places[0]
        with ExitStack() as stack:
            inputs = open_inputs(fetched(unit.specs, stack), stack)
            broken = list(inputs.broken) if first else []
            source = inputs.opened[0].source
            if on_frame is not None:
                check_end(source, self._limit, unit.source)
            if places is not None and isinstance(source, ImageFilesSource):
                source.select(places)
            counts = [n for n in (source.frame_count, self._limit) if n is not None]
            bar = FrameProgress('comparing', min(counts, default=None), on_frame)
            progress = stack.enter_context(bar)
            for frame in stack.enter_context(read_ahead(source, self._limit)):
                if isinstance(frame, BrokenFrame):
                    broken.append(frame)
                else:
                    self._add(frame, parity, write)
                    progress.advance()
        a, b = (Side.on(segmenter.runtime) for segmenter in self._both)
        return Comparison(unit.source, (a, b), self._both[0].label_set, parity, tuple(broken))

    def close(self) -> None:
        self._stack.close()

    def _add(self, frame: Frame, parity: Parity, write: Write | None) -> None:
        labels_a, labels_b = (each.segment([frame.image_bgr])[0].labels for each in self._both)
        image = parity.add(frame.name, labels_a, labels_b)
        if write is not None and image.differing:
            picture = frame.image_bgr // _DARKENED
            picture[labels_a != labels_b] = _DIFFERENCE_BGR
            write(f'{frame.name}_difference.png', encode_png(picture))
