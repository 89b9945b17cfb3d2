"""Video files as sources."""

from pathlib import Path
import re
import struct
import subprocess
import sys

import cv2
from espnet_ros.exceptions import InputError
from espnet_ros.sources import Frame, open_source
import numpy as np
import pytest

from ..conftest import ROOT

FRAMES = 60
READ_ALL = """
import sys
from espnet_ros.exceptions import InputError
from espnet_ros.sources import open_source
try:
    for _ in open_source(sys.argv[1], loop=sys.argv[2] == 'True'):
        pass
except InputError:
    sys.exit(0)
sys.exit('the source did not break off')
"""


@pytest.fixture(scope='module')
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a video whose frame i has the grey value 4 * i."""
    path = tmp_path_factory.mktemp('video') / 'clip.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 20.0, (64, 48))
    for index in range(FRAMES):
        writer.write(np.full((48, 64, 3), 4 * index, np.uint8))
    writer.release()
    return path


def test_video_gives_its_frames_in_order(video: Path) -> None:
    source = open_source(str(video))
    frames = [f for f in source if isinstance(f, Frame)]
    assert source.frame_count == len(frames) == FRAMES
    assert source.rate_hz == pytest.approx(20.0)
    assert source.size == (48, 64)
    assert frames[7].name == 'clip_000007'
    assert [f.index for f in frames] == list(range(FRAMES))
    values = [float(f.image_bgr.mean()) for f in frames]
    assert np.allclose(values, [4 * i for i in range(FRAMES)], atol=3)


def test_frames_do_not_share_memory(video: Path) -> None:
    first, second = (f for f, _ in zip(open_source(str(video)), range(2), strict=False))
    assert isinstance(first, Frame)
    assert isinstance(second, Frame)
    assert not np.shares_memory(first.image_bgr, second.image_bgr)


def test_loop_starts_again(video: Path) -> None:
    frames = zip(open_source(str(video), loop=True), range(FRAMES + 2), strict=False)
    assert [f.index for f, _ in frames][-3:] == [FRAMES - 1, 0, 1]


def test_rate_given_replaces_the_rate_of_the_file(video: Path) -> None:
    assert open_source(str(video), rate_hz=5.0).rate_hz == 5.0


def damaged(video: Path, path: Path, *, keep: float) -> Path:
    data = video.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    return path


@pytest.mark.parametrize('loop', [False, True])
def test_truncated_video_gives_what_it_has_and_says_how_much(
    shared_data: Path, tmp_path: Path, loop: bool
) -> None:
    clip = shared_data / 'clips' / 'highway_960x540.mp4'
    path = damaged(clip, tmp_path / 'cut.mp4', keep=0.2)
    source = open_source(str(path), loop=loop)
    read = 0
    with pytest.raises(InputError, match=r'breaks off after \d+ frames, expected 221') as caught:
        for _ in source:
            read += 1
    assert 0 < read < 221
    assert f'after {read} frames' in str(caught.value)
    # In a process of its own: how much FFmpeg says is settled by the first video that it sees.
    ended = subprocess.run(
        [sys.executable, '-c', READ_ALL, path, str(loop)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stderr == ''


def written(path: Path) -> bytearray:
    """Write an MP4 file of 40 frames at 20 Hz, frame i of grey 6 * i; return its content."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'mp4v'), 20.0, (64, 48))
    for index in range(40):
        writer.write(np.full((48, 64, 3), 6 * index, np.uint8))
    writer.release()
    return bytearray(path.read_bytes())


def cut_without_coding(path: Path, *, first: int) -> None:
    """Write a video of 40 frames at 20 Hz whose edit list leaves the first ones out."""
    data = written(path)
    scale_at = data.index(b'mdhd') + 16
    (units,) = struct.unpack_from('>I', data, scale_at)
    (scale,) = struct.unpack_from('>I', data, data.index(b'mvhd') + 16)
    edits = (scale * (40 - first) // 20, units * first // 20)
    struct.pack_into('>Ii', data, data.index(b'elst') + 12, *edits)
    path.write_bytes(bytes(data))


def test_a_drive_that_was_cut_without_coding_it_anew_is_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / 'cut.mp4'
    cut_without_coding(path, first=15)
    source = open_source(str(path))
    frames = [f for f in source if isinstance(f, Frame)]
    assert source.frame_count == len(frames) == 25
    assert abs(float(frames[0].image_bgr.mean()) - 6 * 15) < 5
    assert not caplog.records


def slower(path: Path, *, after: int) -> None:
    """Write a video of 40 frames, the first ones at 20 Hz and the others at 4 Hz."""
    data = written(path)
    for kind in (b'moov', b'trak', b'mdia', b'minf', b'stbl', b'stts'):
        at = data.index(kind) - 4
        struct.pack_into('>I', data, at, struct.unpack_from('>I', data, at)[0] + 8)
    entries = data.index(b'stts') + 8
    count, step = struct.unpack_from('>II', data, entries + 4)
    steps = struct.pack('>IIIII', 2, after, step, count - after, 5 * step)
    (scale,) = struct.unpack_from('>I', data, data.index(b'mvhd') + 16)
    duration = scale * (after + 5 * (count - after)) // 20
    struct.pack_into('>I', data, data.index(b'elst') + 12, duration)
    path.write_bytes(bytes(data[:entries]) + steps + bytes(data[entries + 12 :]))


def test_frames_of_a_varying_rate_keep_their_times(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / 'phone.mp4'
    slower(path, after=20)
    for _ in range(2):
        times_s = [f.time_s for f in open_source(str(path)) if isinstance(f, Frame)]
    assert np.allclose(times_s, [i / 20 if i < 20 else 1 + (i - 20) / 4 for i in range(40)])
    (record,) = caplog.records
    assert 'its frame rate varies' in record.getMessage()


def test_a_drive_that_was_cut_and_then_truncated_is_not_whole(
    shared_data: Path, tmp_path: Path
) -> None:
    clip = shared_data / 'clips' / 'highway_960x540.mp4'
    data = bytearray(clip.read_bytes())
    (scale,) = struct.unpack_from('>I', data, data.index(b'mvhd') + 16)
    for found in re.finditer(b'elst', bytes(data)):  # of the sound too
        struct.pack_into('>I', data, found.start() + 12, scale * 200 // 25)
    path = tmp_path / 'cut.mp4'
    path.write_bytes(bytes(data[: len(data) // 2]))
    with pytest.raises(InputError, match=r'breaks off after \d+ frames, expected 200'):
        list(open_source(str(path)))


def test_video_without_its_index_is_refused(video: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match='expected an image or a video'):
        open_source(str(damaged(video, tmp_path / 'cut.avi', keep=0.01)))


def test_real_clip_is_read_to_its_end(shared_data: Path) -> None:
    source = open_source(str(shared_data / 'clips' / 'highway_1280x720.mp4'))
    frames = list(source)
    assert len(frames) == source.frame_count == 38
    assert source.rate_hz == 25.0
    assert source.size == (720, 1280)
