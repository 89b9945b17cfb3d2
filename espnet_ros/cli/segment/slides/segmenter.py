"""Segments one picture that is too large for memory, tile by tile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
import time
from typing import Any

from espnet_ros.cli.segment.model import read_model
from espnet_ros.cli.segment.options import Options
from espnet_ros.cli.segment.slides.strips import JoinTask, StripTask
from espnet_ros.exceptions import ConfigError, OutputError
from espnet_ros.fleet.unit import Report, Task
from espnet_ros.labels import LabelSet, parse_grouping
from espnet_ros.processing.codecs import encode_png
from espnet_ros.processing.overlay import blend_overlay
from espnet_ros.slides.pyramid import RowsFile, write_pyramid
from espnet_ros.slides.scorer import TileScorer
from espnet_ros.slides.strips import read_strips, write_strip
from espnet_ros.slides.tiling import blended_bands, Tiling
from espnet_ros.sources.tiff_reader import SlideReader
import numpy as np
from numpy.typing import NDArray

_THUMBNAIL = 2048


def check_slides(options: Options) -> None:
    """
    Check that large pictures can be segmented as is wanted.

    :raises ConfigError: options contradict each other
    """
    if options.slides.tile is None:
        return
    options.slides.check()
    output, mask = options.output, options.mask
    if output.labels_for or output.birdseye or output.confidence is not None or output.limit:
        raise ConfigError(
            '--tile makes masks and overlays; leave --labels-for, --birdseye, --limit and '
            '--confidence without a number out'
        )
    if mask.mask_size != 'image' or any(mask.roi) or options.runtime.resize == 'device':
        raise ConfigError(
            '--tile: masks are of the whole picture, pixel by pixel; leave --mask-size, --roi and '
            '--resize out'
        )


class SlideSegmenter:
    """
    Segments large pictures with one open model.

    :param options: of the command line, with ``--tile``
    :raises EspnetError: the model cannot be opened, or gives no scores
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        model = read_model(options)
        label_set = model.info.label_set
        self._table: NDArray[np.uint8] | None = None
        grouping = parse_grouping(options.mask.label_groups, label_set)
        if grouping is not None:
            self._table = label_set.group_table(grouping, options.mask.unlabelled_id)
            label_set = label_set.grouped(grouping)
        self.model = model
        self.label_set: LabelSet = label_set
        assert options.slides.tile is not None, 'check_slides() comes first'
        self._scorer = TileScorer(model, options.runtime, options.slides.tile)

    def segment(
        self, task: Task, path: Path, work: Path, on_tile: Callable[[], None]
    ) -> tuple[Report, dict[str, Any]]:
        """
        Write mask and overlay of a picture.

        :param task: the picture; where its strips are there, they are joined
        :param work: folder of the results
        :return: what became of it, and what its summary says
        :raises EspnetError: the picture cannot be read, or the results cannot be written
        """
        started = time.perf_counter()
        counts = np.zeros(256, np.int64)
        with SlideReader(path) as slide, ExitStack() as stack:
            tiling = self._tiling(slide)
            if isinstance(task, JoinTask):
                started -= task.elapsed_s
                bands = read_strips(Path(task.folder), slide.size)
            else:
                bands = self._bands(slide, on_tile)
            mask = RowsFile(work, slide.size)
            stack.callback(mask.remove)
            mask.fill(_counted(bands, counts))
            files = self._write(task.unit.name, slide, mask, work)
        elapsed_s = time.perf_counter() - started
        down, across = tiling.counts
        used = tuple((i, int(n)) for i, n in enumerate(counts) if n)
        summary = {
            'source': task.unit.source,
            'size': list(slide.size),
            'tile': tiling.tile,
            'overlap': tiling.overlap,
            'tiles': down * across,
            **self._describe(),
            'elapsed_s': round(elapsed_s, 3),
            **files,
        }
        return Report(down * across, round(elapsed_s, 4), used), summary

    def segment_strip(self, task: Task, on_tile: Callable[[], None]) -> Report | None:
        """
        Write some rows of the mask of a picture, for a later join.

        :return: None where the task is a whole picture
        :raises InputError: the picture cannot be read
        :raises OutputError: the rows cannot be written
        """
        if not isinstance(task, StripTask):
            return None
        started = time.perf_counter()
        folder = Path(task.folder)
        # Where another strip of the picture has failed, the folder is gone: nobody wants this one.
        if folder.is_dir():
            with SlideReader(Path(task.unit.specs[0]).expanduser()) as slide:
                bands = self._bands(slide, on_tile, range(*task.rows))
                try:
                    write_strip(folder, task.rows[0], bands)
                except OutputError:
                    if folder.is_dir():
                        raise
        return Report(0, round(time.perf_counter() - started, 4), ())

    def close(self) -> None:
        self._scorer.close()

    def _describe(self) -> dict[str, Any]:
        return {
            'model': {'name': self.model.info.name, 'sha256': self.model.sha256},
            'runtime': self._scorer.runtime.name,
        }

    def _tiling(self, slide: SlideReader) -> Tiling:
        tile = self._options.slides.tile
        assert tile is not None, 'check_slides() comes first'
        return Tiling(slide.size, tile, self._options.slides.overlap)

    def _bands(
        self, slide: SlideReader, on_tile: Callable[[], None], rows: range | None = None
    ) -> Iterator[NDArray[np.uint8]]:
        def decide(scores: NDArray[np.float32]) -> NDArray[np.uint8]:
            on_tile()
            return self._decide(scores)

        return blended_bands(self._tiling(slide), slide.read_bgr, self._scorer.score, decide, rows)

    def _decide(self, scores: NDArray[np.float32]) -> NDArray[np.uint8]:
        labels: NDArray[np.uint8] = scores.argmax(axis=0).astype(np.uint8)
        if self._table is not None:
            labels = self._table[labels]
        threshold = self._options.mask.confidence_threshold
        if threshold > 0:
            labels[scores.max(axis=0) < threshold] = self._options.mask.unlabelled_id
        return labels

    def _write(self, name: str, slide: SlideReader, mask: RowsFile, work: Path) -> dict[str, str]:
        palette_rgb = self.label_set.palette_rgb()
        files = {}
        if self._options.output.masks is not False:
            files['mask'] = f'{name}_mask.tif'
            write_pyramid(work / files['mask'], mask, palette_rgb)
        if self._options.output.overlay:
            files |= {'overlay': f'{name}_overlay.tif', 'thumbnail': f'{name}_thumbnail.png'}
            overlay = RowsFile(work, (*slide.size, 3), name='overlay')
            try:
                overlay.fill(self._overlay_bands(slide, mask, palette_rgb))
                write_pyramid(work / files['overlay'], overlay, None)
                small = next(
                    (i for i, s in enumerate(overlay.shapes) if max(s[:2]) <= _THUMBNAIL),
                    len(overlay.shapes) - 1,
                )
                thumbnail_rgb = overlay.rows(small, 0, overlay.shapes[small][0])
                png = encode_png(np.ascontiguousarray(thumbnail_rgb[:, :, ::-1]))
                (work / files['thumbnail']).write_bytes(png)
            finally:
                overlay.remove()
        return files

    def _overlay_bands(
        self, slide: SlideReader, mask: RowsFile, palette_rgb: NDArray[np.uint8]
    ) -> Iterator[NDArray[np.uint8]]:
        height, width = slide.size
        rows = 256
        palette_bgr = np.ascontiguousarray(palette_rgb[:, ::-1])
        for top in range(0, height, rows):
            count = min(rows, height - top)
            image_bgr = slide.read_bgr(top, 0, count, width)
            labels = mask.rows(0, top, count)
            overlay = blend_overlay(image_bgr, labels, palette_bgr, self._options.style.alpha)
            yield overlay[:, :, ::-1]


def _counted(
    bands: Iterable[NDArray[np.uint8]], counts: NDArray[np.int64]
) -> Iterator[NDArray[np.uint8]]:
    """Give bands of a mask, and add up how often each id occurs in them."""
    for band in bands:
        counts += np.bincount(band.ravel(), minlength=256)
        yield band
