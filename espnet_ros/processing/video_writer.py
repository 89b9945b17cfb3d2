"""Writes a video file, and makes sure that it arrived."""

from __future__ import annotations

from pathlib import Path

import cv2
from espnet_ros.exceptions import OutputError
import numpy as np
from numpy.typing import NDArray

CODEC = 'mp4v'
"""MPEG-4 Part 2: every build of OpenCV has it. The wheels of PyPI have no H.264 encoder, and
their VP9 is a hundred times slower."""


class VideoWriter:
    """
    A video file that frames are written to, of the container that its suffix names.

    Videos have an even width and height: the last column and row of odd frames are cut off.

    :param size: (height, width) of every frame
    :raises OutputError: OpenCV cannot write such a video there
    """

    def __init__(self, path: Path, rate_hz: float, size: tuple[int, int]) -> None:
        self.path = path
        self.size = size
        self._written = 0
        height, width = size
        fourcc = cv2.VideoWriter.fourcc(*CODEC)
        self._writer = cv2.VideoWriter(str(path), fourcc, rate_hz, (width, height))
        if not self._writer.isOpened():
            raise OutputError(
                f'{path}: OpenCV cannot write a video of {width}x{height} at {rate_hz:g} frames '
                'per second there'
            )

    def write(self, image_bgr: NDArray[np.uint8]) -> None:
        """
        Append a frame.

        :param image_bgr: uint8, (H, W, 3)
        :raises OutputError: it is not of the size of the video
        """
        if image_bgr.shape[:2] != self.size:
            raise OutputError(
                f'{self.path}: expected frames of (height, width) {self.size}, '
                f'found {image_bgr.shape[:2]}'
            )
        self._writer.write(image_bgr)
        self._written += 1

    def close(self) -> None:
        """
        Finish the file; does nothing where that was done.

        :raises OutputError: frames are missing in it. OpenCV says nothing where a disk is
            full, so the file is opened again to count them.
        """
        if not self._writer.isOpened():
            return
        self._writer.release()
        capture = cv2.VideoCapture(str(self.path))
        found = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
        capture.release()
        if found < self._written:
            raise OutputError(
                f'{self.path}: expected a video of {self._written} frames, found {found} after '
                'writing it; is the disk full?'
            )

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
