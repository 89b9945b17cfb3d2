"""Cameras of this machine, with a driver that stands for one."""

from __future__ import annotations

from collections import deque

import cv2
from espnet_ros.sources import Frame, open_source
import numpy as np
import pytest


class Driver:
    """Stands for OpenCV's capture: image n shows n, and the oldest ones wait in its buffers."""

    def __init__(self, buffers: int, tells_buffers: bool) -> None:
        self._buffers = buffers
        self._told = buffers if tells_buffers else 0
        self._waiting: deque[int] = deque()
        self._seen = 0

    def __call__(self, index: int) -> Driver:
        return self

    def isOpened(self) -> bool:  # noqa: N802  (OpenCV's name)
        return True

    def release(self) -> None:
        pass

    def set(self, name: int, value: float) -> bool:
        return False

    def get(self, name: int) -> float:
        return {cv2.CAP_PROP_BUFFERSIZE: self._told, cv2.CAP_PROP_FPS: 30.0}[name]

    def see(self, count: int) -> None:
        """Let so many images pass; those that find the buffers full are lost."""
        for _ in range(count):
            self._seen += 1
            if len(self._waiting) < self._buffers:
                self._waiting.append(self._seen)

    def grab(self) -> bool:
        if not self._waiting:
            self.see(1)
        self._grabbed = self._waiting.popleft()
        return True

    def read(self) -> tuple[bool, np.ndarray]:
        self.grab()
        return True, np.full((2, 3, 3), self._grabbed, np.uint8)


@pytest.mark.parametrize(
    ('buffers', 'tells_buffers'), [(1, True), (1, False), (4, True)], ids=['1', 'untold', '4']
)
def test_a_webcam_catches_up_with_what_it_sees_now(
    monkeypatch: pytest.MonkeyPatch, buffers: int, tells_buffers: bool
) -> None:
    driver = Driver(buffers, tells_buffers)
    monkeypatch.setattr(cv2, 'VideoCapture', driver)
    with open_source('0') as source:
        frames = iter(source)
        driver.see(100)
        source.catch_up()
        frame = next(frames)
    assert isinstance(frame, Frame)
    assert frame.image_bgr[0, 0, 0] > 100
