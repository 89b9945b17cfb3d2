"""One source of a command line: what of it is done, and the way of the rest to its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from glob import escape
from typing import TYPE_CHECKING

from espnet_ros.cli.output import OutputFolder
from espnet_ros.cli.progress import FrameProgress
from espnet_ros.cli.segment.birdseye import open_birdseye
from espnet_ros.cli.segment.inputs import Input
from espnet_ros.cli.segment.journal import Journal
from espnet_ros.cli.segment.options import Options
from espnet_ros.cli.segment.pipeline import Outcome, Pipeline
from espnet_ros.cli.segment.pseudo_labels import LabelWriter
from espnet_ros.cli.segment.result_key import result_key, settings_key
from espnet_ros.cli.segment.result_writer import FrameRecord, ResultWriter
from espnet_ros.cli.segment.video_output import VideoOutput
from espnet_ros.segmenter import Segmentation, Segmenter
from espnet_ros.sources import Frame, ImageFilesSource

if TYPE_CHECKING:
    from espnet_ros.recording.frame_recorder import FrameRecorder


class SourceRun:
    """
    Segments a source into a folder, but for what the journal has of it.

    :param dataset: what writes labels to train on, where those are wanted
    :param on_frame: is called with each finished frame; None shows a bar
    :param recorder: takes every frame, so that none is left out as done before; or None
    :ivar names: of the files to come, as :meth:`Journal.announce` takes them
    :raises ConfigError: a picture from above is wanted that cannot be drawn
    """

    def __init__(
        self,
        entry: Input,
        options: Options,
        segmenter: Segmenter,
        folder: OutputFolder,
        journal: Journal,
        *,
        dataset: LabelWriter | None = None,
        on_frame: Callable[[], None] | None = None,
        recorder: FrameRecorder | None = None,
    ) -> None:
        self.entry = entry
        self._options = options
        self._segmenter = segmenter
        self._journal = journal
        self._dataset = dataset
        self._on_frame = on_frame
        self._recorder = recorder
        self._settings_key = settings_key(options, segmenter)
        self._keys: dict[str, str] = {}
        self._earlier: list[FrameRecord] = []
        source = entry.source
        self._wanted = options.output
        if self._wanted.masks is None:
            self._wanted = replace(self._wanted, masks=entry.stem is None or source.is_stamped)
        self._writer = ResultWriter(
            folder,
            self._wanted,
            options.style,
            segmenter.label_set,
            entry.stem,
            unlabelled_id=options.mask.unlabelled_id,
            birdseye=open_birdseye(options, source, segmenter),
            dataset=dataset,
        )
        self._video = VideoOutput(folder, entry.stem, source.rate_hz)
        if isinstance(source, ImageFilesSource):
            self._find_done(source)
        self.names = self._name_files()

    def run(self, limit: int | None, outcome: Outcome) -> None:
        """
        Segment what is not done.

        :param limit: how many frames, done ones included; None for all
        :param outcome: is added to
        """
        source = self.entry.source
        if isinstance(source, ImageFilesSource):
            for record in self._earlier[:limit]:
                outcome.add_earlier(record)
            left = None if limit is None else max(limit - len(self._earlier), 0)
            if source.frame_count and left != 0:
                self._pass(left, outcome, self._note_image)
            return
        path, stem = self.entry.path, self.entry.stem
        if path is None or stem is None:
            self._pass(limit, outcome, self._note_live)
            return
        key = result_key(self._settings_key, path, f'{source.name} {stem}', limit)
        done = self._journal.records_of(key)
        overlay = (self._video.name,) if self._wanted.overlay else ()
        if self._recorder is None and done and all(self._journal.has(name) for name in overlay):
            for record in done:
                outcome.add_earlier(record)
            return
        self._journal.start_over(key)
        files: set[str] = set()

        def note(record: FrameRecord) -> None:
            files.update(record.files.values())
            self._journal.add(key, record, is_whole=False)

        self._pass(limit, outcome, note)
        if outcome.error is None and not outcome.interrupted:
            self._journal.finish(key, overlay)
            if limit is None and self._dataset is None:
                self._drop_others(stem, files)

    def _drop_others(self, stem: str, kept: set[str]) -> None:
        """Remove what earlier runs wrote of other frames, of the kinds that this one wrote."""
        for kind in self._writer.kinds:
            self._journal.drop_others(f'{escape(stem)}_frames/*_{kind}.png', kept)

    def _pass(
        self, limit: int | None, outcome: Outcome, note: Callable[[FrameRecord], None]
    ) -> None:
        source = self.entry.source
        confidence = self._wanted.confidence is not None
        take = None if self._recorder is None else self._record
        pipeline = Pipeline(
            self._segmenter, self._writer, self._video, confidence, note, take=take
        )
        counts = [n for n in (source.frame_count, limit) if n is not None]
        total = min(counts, default=None)
        with FrameProgress('segmenting', total, self._on_frame) as progress:
            pipeline.run(source, limit, progress, outcome)

    def _record(self, frame: Frame, result: Segmentation) -> None:
        if self._recorder is not None:
            self._recorder.take(frame, result, self.entry.source.rate_hz)

    def _find_done(self, source: ImageFilesSource) -> None:
        """Leave out the images that are done, and those behind the limit."""
        rest = []
        limit = self._options.output.limit
        for place, (name, path) in enumerate(zip(source.names, source.paths, strict=True)):
            if place == limit:
                break
            records = None
            if path.is_file():
                self._keys[name] = result_key(self._settings_key, path, name)
                records = self._journal.records_of(self._keys[name])
            if records and self._recorder is None:
                self._earlier.append(records[-1])
            else:
                rest.append(place)
        source.select(rest)

    def _name_files(self) -> list[str]:
        stem = self.entry.stem
        dataset = self._dataset
        if stem is not None and dataset is not None:
            return dataset.names_of(stem)
        if stem is not None:
            return [self._video.name] * self._wanted.overlay + [f'{stem}_frames/']
        source = self.entry.source
        if not isinstance(source, ImageFilesSource):
            return []
        done = {record.name for record in self._earlier}
        names = [name for name in source.names if name not in done]
        if dataset is not None:
            return [file for name in names for file in dataset.files_of(name)]
        return [f'{name}_{kind}.png' for name in names for kind in self._writer.kinds]

    def _note_image(self, record: FrameRecord) -> None:
        self._journal.add(self._keys[record.name], record, is_whole=True)

    def _note_live(self, record: FrameRecord) -> None:
        if record.files:  # else there is nothing to know of it, and it may come for ever
            self._journal.add('', record, is_whole=False)
