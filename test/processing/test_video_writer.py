"""Videos that are written can be read back, and losses are found."""

from pathlib import Path

import cv2
from espnet_ros.exceptions import OutputError
from espnet_ros.processing.video_writer import VideoWriter
import numpy as np
import pytest


def test_frames_come_back_in_order_and_at_the_rate(tmp_path: Path) -> None:
    path = tmp_path / 'gray.mp4'
    with VideoWriter(path, 12.5, (32, 48)) as writer:
        for value in (20, 120, 220):
            writer.write(np.full((32, 48, 3), value, np.uint8))
    capture = cv2.VideoCapture(str(path))
    frames = [capture.read()[1] for _ in range(3)]
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(12.5)
    assert [frame.shape for frame in frames] == [(32, 48, 3)] * 3
    assert [float(frame.mean()) for frame in frames] == pytest.approx([20, 120, 220], abs=4)


def test_odd_size_loses_one_row_and_column_only(tmp_path: Path) -> None:
    path = tmp_path / 'odd.mp4'
    with VideoWriter(path, 25.0, (33, 49)) as writer:
        writer.write(np.zeros((33, 49, 3), np.uint8))
    assert cv2.VideoCapture(str(path)).read()[1].shape == (32, 48, 3)


def test_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    with (
        VideoWriter(tmp_path / 'a.mp4', 25.0, (32, 48)) as writer,
        pytest.raises(OutputError, match=r'\(32, 48\), found \(48, 32\)'),
    ):
        writer.write(np.zeros((48, 32, 3), np.uint8))


def test_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match='cannot write a video'):
        VideoWriter(tmp_path / 'none' / 'a.mp4', 25.0, (32, 48))


def test_frames_that_did_not_arrive_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / 'a.mp4'
    writer = VideoWriter(path, 25.0, (32, 48))
    writer.write(np.zeros((32, 48, 3), np.uint8))
    path.unlink()
    with pytest.raises(OutputError, match='video of 1 frames, found 0'):
        writer.close()


def test_closing_twice_is_harmless(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / 'a.mp4', 25.0, (32, 48))
    writer.write(np.zeros((32, 48, 3), np.uint8))
    writer.close()
    writer.close()
