"""
Decoding, inference and writing at the same time.

One thread reads ahead, the calling thread runs the network, and a small pool draws and
encodes. The results are taken in order, so videos stay in order and memory stays bounded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from espnet_ros.cli.progress import FrameProgress
from espnet_ros.cli.segment.result_writer import FrameRecord, ResultWriter
from espnet_ros.cli.segment.video_output import VideoOutput
from espnet_ros.cli.uninterrupted import uninterrupted
from espnet_ros.exceptions import EspnetError, InputError
from espnet_ros.segmenter import Segmentation, Segmenter
from espnet_ros.sources import BrokenFrame, Frame, Source
from espnet_ros.sources.read_ahead import read_ahead
import numpy as np
from numpy.typing import NDArray

_WRITERS = 2
_WAITING = 4

_Written = tuple[FrameRecord, NDArray[np.uint8] | None]


@dataclass
class Outcome:
    """
    What a run brought, whether or not it came to its end.

    :ivar endless_from: where the records of a source begin that may never end, or None
    :ivar records: the finished frames; of an endless source only the latest
    :ivar broken: what could not be read or segmented
    :ivar blank_count: those of them that show nothing
    :ivar counts: int64, (256,), pixels of each id over all frames
    :ivar earlier_count: those of them that an earlier run finished
    :ivar stage_sums_s: float, (3,), seconds of prepare, inference and finish over all frames
    :ivar error: what ended it early, or None
    :ivar interrupted: whether the user ended it
    """

    endless_from: int | None = None
    records: list[FrameRecord] = field(default_factory=list)
    broken: list[BrokenFrame] = field(default_factory=list)
    blank_count: int = 0
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))
    frame_count: int = 0
    earlier_count: int = 0
    stage_sums_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    elapsed_s: float = 0.0
    error: EspnetError | None = None
    interrupted: bool = False

    @property
    def rate_hz(self) -> float:
        return self.new_count / max(self.elapsed_s, 1e-9)

    @property
    def new_count(self) -> int:
        """Return how many frames this run finished."""
        return self.frame_count - self.earlier_count

    def add_earlier(self, record: FrameRecord) -> None:
        self.add(record)
        self.earlier_count += 1

    def add(self, record: FrameRecord) -> None:
        if self.endless_from is not None:  # or its records would fill the memory
            del self.records[self.endless_from :]
        self.records.append(record)
        for class_id, pixels in record.counts:
            self.counts[class_id] += pixels
        self.frame_count += 1
        self.blank_count += record.is_blank
        self.stage_sums_s += record.times_s


class Pipeline:
    """
    Takes the frames of a source through the segmenter to their files.

    :param note: is called with each finished frame, in order
    :param take: is given each frame and what was seen in it, in order
    """

    def __init__(
        self,
        segmenter: Segmenter,
        writer: ResultWriter,
        video: VideoOutput,
        confidence: bool,
        note: Callable[[FrameRecord], None],
        *,
        take: Callable[[Frame, Segmentation], None] | None = None,
    ) -> None:
        self._segmenter = segmenter
        self._writer = writer
        self._video = video
        self._confidence = confidence
        self._note = note
        self._take_result = take
        self._is_video = False
        self._waiting: deque[tuple[Frame, Future[_Written]]] = deque()

    def run(
        self, source: Source, limit: int | None, progress: FrameProgress, outcome: Outcome
    ) -> None:
        """
        Segment every frame.

        An error or Ctrl-C ends the run early; what was segmented until then is still written.
        """
        self._is_video = source.size is not None  # whose frames would all fail the same way
        is_endless = source.frame_count is None and limit is None
        outcome.endless_from = len(outcome.records) if is_endless else None
        with ThreadPoolExecutor(_WRITERS, 'write') as pool:
            try:
                with read_ahead(source, limit) as frames:
                    for frame in frames:
                        self._take(frame, pool, outcome)
                        self._collect(outcome, progress, _WAITING)
            except KeyboardInterrupt:
                outcome.interrupted = True
            except EspnetError as error:
                outcome.error = error
            self._drain(outcome, progress)
        outcome.elapsed_s += progress.elapsed_s

    def _take(
        self,
        frame: Frame | BrokenFrame,
        pool: ThreadPoolExecutor,
        outcome: Outcome,
    ) -> None:
        if isinstance(frame, BrokenFrame):
            outcome.broken.append(frame)
            return
        try:
            (result,) = self._segmenter.segment([frame.image_bgr], confidence=self._confidence)
        except InputError as error:
            if self._is_video:
                raise
            outcome.broken.append(BrokenFrame(frame.name, frame.index, f'{frame.name}: {error}'))
            return
        with uninterrupted():
            if self._take_result is not None:
                self._take_result(frame, result)
            self._waiting.append((frame, pool.submit(self._writer.write, frame, result)))

    def _drain(self, outcome: Outcome, progress: FrameProgress) -> None:
        """Take what is still waiting, and end the video."""
        while self._waiting:
            try:
                self._collect(outcome, progress, 0)
            except EspnetError as error:
                outcome.error = outcome.error or error
        try:
            self._video.close()
        except EspnetError as error:
            outcome.error = outcome.error or error

    def _collect(self, outcome: Outcome, progress: FrameProgress, leave: int) -> None:
        """Take finished frames in order until no more than ``leave`` are waiting."""
        while len(self._waiting) > leave or (self._waiting and self._waiting[0][1].done()):
            # Ctrl-C while it waits must not lose the frame, so it leaves the queue afterwards.
            wait([self._waiting[0][1]])
            with uninterrupted():
                frame, written = self._waiting.popleft()
                try:
                    record, overlay_bgr = written.result()
                except InputError as error:  # its name is too long, for example
                    if self._is_video:
                        raise
                    outcome.broken.append(BrokenFrame(frame.name, frame.index, str(error)))
                    continue
                if overlay_bgr is not None:
                    self._video.write(overlay_bgr)
                outcome.add(record)
                self._note(record)
                progress.advance()
