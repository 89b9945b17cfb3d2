"""Video files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
import logging
from pathlib import Path

import cv2
from espnet_ros.exceptions import InputError
from espnet_ros.file_kinds import check_utf8
from espnet_ros.sources.base import BrokenFrame, Frame, Source
from espnet_ros.sources.edit_list import played_s
import numpy as np

_log = logging.getLogger(__name__)

_SLACK_FRAMES = 2
_SLACK_S = 1.0

_OFF_S = 0.5
"""So far may frames be from where the mean rate has them before that is told."""

# FFmpeg plays text files as a terminal's screen.
_TEXT_AS_VIDEO = cv2.VideoWriter.fourcc(*'ansi')


class VideoSource(Source):
    """
    A video file.

    A file that breaks off long before the end that it announces raises an error then; the
    frames before it have been given. Containers without an exact frame count announce an
    estimate, so a difference of less than a second is a warning only.

    :param rate_hz: rate to play it at; None takes the file's own
    :raises InputError: it is not a video, or it has no frame that can be read
    """

    def __init__(self, path: Path, *, loop: bool = False, rate_hz: float | None = None) -> None:
        self.path = path
        with _open_capture(path) as capture:
            count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
            own_rate_hz = float(capture.get(cv2.CAP_PROP_FPS))
            is_read, first = capture.read()
        if not is_read:
            raise InputError(
                f'{path}: the video has no frame that can be read; it is damaged, or coded '
                'in a way that this OpenCV does not know'
            )
        if not (np.isfinite(own_rate_hz) and 0 < own_rate_hz <= 1000):
            own_rate_hz = 0.0
        edited_s = played_s(path)
        if edited_s is not None and own_rate_hz:
            count = min(count, round(edited_s * own_rate_hz))
        super().__init__(
            f'video {path}',
            loop=loop,
            rate_hz=rate_hz or own_rate_hz or None,
            frame_count=count if count > 0 else None,
            size=first.shape[:2],
        )
        self._own_rate_hz = own_rate_hz

    def _frames(self) -> Iterator[Frame | BrokenFrame]:
        index = 0
        time_s = off_s = 0.0
        with _open_capture(self.path) as capture:
            while True:
                is_read, image_bgr = capture.read()
                if not is_read:
                    break
                time_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                if self._own_rate_hz:
                    off_s = max(off_s, abs(time_s - index / self._own_rate_hz))
                yield Frame(
                    f'{self.path.stem}_{index:06d}',
                    index,
                    np.asarray(image_bgr, np.uint8),
                    time_s=time_s,
                )
                index += 1
        if off_s > _OFF_S:
            _tell_varying(self.path, self._own_rate_hz, off_s)
        self._check_complete(index, time_s)

    def _check_complete(self, read: int, time_s: float) -> None:
        """
        Compare what was read with what the file announces.

        :param time_s: time of the last of them
        """
        expected = self.frame_count
        if expected is None or read >= expected:
            return
        message = (
            f'{self.path}: the video breaks off after {read} frames, expected {expected}; '
            'the file is truncated or damaged'
        )
        # An estimated count is the duration times the rate, so the time tells it from a loss.
        ends_early = not self._own_rate_hz or time_s < expected / self._own_rate_hz - _SLACK_S
        is_short = expected <= self._own_rate_hz * 2 * _SLACK_S
        if read < expected - _SLACK_FRAMES and (ends_early or is_short):
            raise InputError(message)
        _log.warning('%s: the file announces %d frames, %d were read', self.path, expected, read)


@lru_cache(maxsize=64)
def _tell_varying(path: Path, rate_hz: float, off_s: float) -> None:
    """Log once, not whenever it is played."""
    _log.warning(
        '%s: its frame rate varies; at %.3g frames/s, its mean, images are up to %.1f s off',
        path, rate_hz, off_s,
    )  # fmt: skip


@contextmanager
def _open_capture(path: Path) -> Iterator[cv2.VideoCapture]:
    check_utf8(path)
    capture = cv2.VideoCapture(str(path))
    try:
        is_text = int(capture.get(cv2.CAP_PROP_FOURCC)) == _TEXT_AS_VIDEO
        if not capture.isOpened() or is_text:
            raise InputError(
                f'{path}: expected an image or a video, found a file that OpenCV cannot open as '
                'either'
            )
        yield capture
    finally:
        capture.release()
