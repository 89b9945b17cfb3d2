"""Ctrl-C: what was segmented until then is kept whole, and said so."""

import _thread
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import cv2
from espnet_ros.cli.segment import inputs, source_run
from espnet_ros.cli.segment.video_output import VideoOutput
from espnet_ros.sources import Frame, Source
import pytest

from .conftest import files_in, read_json, stripes


class EndlessCamera(Source):
    """Gives frames for ever; the user presses Ctrl-C at the tenth, where they do at all."""

    def __init__(self, interrupted_at: int | None = 10) -> None:
        super().__init__('camera', rate_hz=10.0, size=(32, 64))
        self.interrupted_at = interrupted_at

    def _frames(self) -> Iterator[Frame]:
        for index in count():
            if index == self.interrupted_at:
                _thread.interrupt_main()
            yield Frame(f'frame_{index}', index, stripes(32, 64))


def test_ctrl_c_keeps_a_whole_video_and_a_summary(
    cli, channel_model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, 'open_source', lambda spec, **_: EndlessCamera())
    out = tmp_path / 'out'
    ended = cli('segment', '0', '--model', channel_model_path, '--output', out)
    assert ended.code == 130
    assert files_in(out) == {'webcam_0_overlay.mp4', 'results.jsonl', 'summary.json'}
    summary = read_json(out / 'summary.json')
    video = cv2.VideoCapture(str(out / 'webcam_0_overlay.mp4'))
    assert summary['frames'] >= 5
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == summary['frames']
    assert summary['complete'] is False
    assert f'interrupted; {summary["frames"]} frames kept in {out}' in ended.err


def test_ctrl_c_between_a_frame_of_the_video_and_its_record_loses_neither(
    cli, channel_model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = count(1)

    class InterruptedVideo(VideoOutput):
        def write(self, image_bgr) -> None:
            super().write(image_bgr)
            if next(written) == 3:
                _thread.interrupt_main()

    monkeypatch.setattr(inputs, 'open_source', lambda spec, **_: EndlessCamera(None))
    monkeypatch.setattr(source_run, 'VideoOutput', InterruptedVideo)
    out = tmp_path / 'out'
    ended = cli('segment', '0', '--model', channel_model_path, '--output', out, '--limit', '99')
    assert ended.code == 130
    video = cv2.VideoCapture(str(out / 'webcam_0_overlay.mp4'))
    frames = read_json(out / 'summary.json')['frames']
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == frames
    assert 3 <= frames < 99


def test_records_of_an_endless_source_do_not_fill_the_memory(
    cli, channel_model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, 'open_source', lambda spec, **_: EndlessCamera())
    out = tmp_path / 'out'
    cli('segment', '0', '--model', channel_model_path, '--output', out)
    summary = read_json(out / 'summary.json')
    assert summary['frames'] >= 5
    (latest,) = summary['images']
    assert latest['name'] == f'frame_{summary["frames"] - 1}'


def test_an_endless_source_that_is_limited_keeps_every_record(
    cli, channel_model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, 'open_source', lambda spec, **_: EndlessCamera())
    out = tmp_path / 'out'
    ended = cli('segment', '0', '--model', channel_model_path, '--output', out, '--limit', '3')
    assert ended.code == 0
    names = [image['name'] for image in read_json(out / 'summary.json')['images']]
    assert names == ['frame_0', 'frame_1', 'frame_2']
