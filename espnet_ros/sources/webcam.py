"""Cameras of this machine, through OpenCV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import re

import cv2
from espnet_ros.exceptions import InputError
from espnet_ros.sources.base import BrokenFrame, Frame, Source
import numpy as np

DEVICE_FOLDER = Path('/dev')

_BUFFERED_AT_MOST = 10


class WebcamSource(Source):
    """
    A webcam; endless, and held from the start until :meth:`close`.

    :param index: number of the camera, the N of /dev/videoN
    :param rate_hz: rate to ask the camera for; None takes its own
    :param size: (height, width) to ask the camera for; it may choose the nearest that it has
    :raises InputError: it is not there, cannot be opened or gives no image
    """

    is_live = True

    def __init__(
        self,
        index: int,
        *,
        rate_hz: float | None = None,
        size: tuple[int, int] | None = None,
    ) -> None:
        self.index = index
        self._capture = _open_camera(index, rate_hz, size)
        is_read, first = self._capture.read()
        if not is_read:
            self._capture.release()
            raise InputError(
                f'webcam {index}: it is there but gives no image; is another program using it?'
            )
        own_rate_hz = float(self._capture.get(cv2.CAP_PROP_FPS))
        super().__init__(
            f'webcam {index}',
            rate_hz=own_rate_hz if 0 < own_rate_hz <= 1000 else rate_hz,
            size=first.shape[:2],
        )

    def catch_up(self) -> None:
        # Not every backend tells how many they are; one is what is requested at the start.
        buffered = int(self._capture.get(cv2.CAP_PROP_BUFFERSIZE))
        for _ in range(min(max(buffered, 1), _BUFFERED_AT_MOST)):
            self._capture.grab()

    def close(self) -> None:
        self._capture.release()

    def _frames(self) -> Iterator[Frame | BrokenFrame]:
        index = 0
        while True:
            is_read, image_bgr = self._capture.read()
            if not is_read:
                raise InputError(
                    f'webcam {self.index}: no image after {index} frames; was it unplugged?'
                )
            yield Frame(f'webcam{self.index}_{index:06d}', index, np.asarray(image_bgr, np.uint8))
            index += 1


def webcam_index(spec: str) -> int | None:
    """Return the number in ``0`` or ``/dev/video0``, None where it is neither."""
    match = re.fullmatch(r'(?:/dev/video)?(\d{1,3})', spec)
    return int(match[1]) if match else None


def _open_camera(
    index: int, rate_hz: float | None, size: tuple[int, int] | None
) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(index)
    if not capture.isOpened():
        capture.release()
        device = DEVICE_FOLDER / f'video{index}'
        problem = 'cannot be opened' if device.exists() else 'is not there'
        found = ', '.join(sorted(str(p) for p in DEVICE_FOLDER.glob('video*'))) or 'none'
        raise InputError(f'webcam {index}: {device} {problem}; cameras found: {found}')
    # One waiting image, so that what is read is what is seen now.
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    if size is not None:
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[0])
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[1])
    if rate_hz:
        capture.set(cv2.CAP_PROP_FPS, rate_hz)
    return capture
