"""A file is told by its first bytes, whatever it is called."""

from __future__ import annotations

import logging
from pathlib import Path
import sqlite3

import cv2
from espnet_ros.config import ForeignModelSettings
from espnet_ros.datasets.base import list_images
from espnet_ros.exceptions import InputError, ModelError
from espnet_ros.export.any_model import open_any_model
from espnet_ros.file_kinds import FileKind, is_checkpoint, kind_of, kind_of_data
from espnet_ros.sources import Frame, open_source
import numpy as np
import onnx
import pytest

PICTURE = np.full((16, 24, 3), 90, np.uint8)
LFS = b'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n'


@pytest.mark.parametrize('suffix', ['.png', '.jpg', '.bmp', '.tif', '.webp', '.ppm'])
def test_images_of_every_kind_are_told_and_read_under_any_name(
    tmp_path: Path, suffix: str
) -> None:
    is_done, data = cv2.imencode(suffix, PICTURE)
    assert is_done and kind_of_data(data.tobytes()) is FileKind.IMAGE
    path = tmp_path / 'picture.dat'
    path.write_bytes(data.tobytes())
    with open_source(str(path)) as source:
        (frame,) = source
    assert isinstance(frame, Frame) and frame.image_bgr.shape == PICTURE.shape


@pytest.mark.parametrize(
    ('name', 'code'), [('a.mp4', 'mp4v'), ('a.avi', 'MJPG'), ('a.mkv', 'MJPG')]
)
def test_videos_are_told(tmp_path: Path, name: str, code: str) -> None:
    path = tmp_path / name
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), 10.0, (24, 16))
    writer.write(PICTURE)
    writer.release()
    assert kind_of(path) is FileKind.VIDEO


@pytest.mark.parametrize(
    ('content', 'told'),
    [
        (b'#ROSBAG V2.0\n' + b'x' * 99, 'a ROS 1 bag; convert it with: rosbags-convert'),
        (b'\x28\xb5\x2f\xfd' + b'x' * 99, 'of a bag name the folder'),
        (LFS, 'git lfs pull'),
        (b'\n<!DOCTYPE html><html>', 'a page of HTML'),
        (b'', 'the file is empty'),
        (b'just some words', 'a file of another kind'),
        (b'\0\0\0\x1cftypheic' + b'x' * 99, 'convert it to JPEG'),
    ],
)
def test_what_a_source_is_not_is_said_with_the_way_on(
    tmp_path: Path, content: bytes, told: str
) -> None:
    path = tmp_path / 'drive.mp4'
    path.write_bytes(content)
    with pytest.raises(InputError, match='expected an image, a video or a bag of ROS 2') as raised:
        open_source(str(path))
    assert told in str(raised.value)


def test_the_real_ros_1_bag_is_no_video(shared_data: Path) -> None:
    with pytest.raises(InputError, match='a ROS 1 bag'):
        open_source(str(shared_data / 'faults' / 'ros1_two_cameras.bag'))


def test_messages_that_were_compressed_one_by_one_say_to_name_the_folder(
    shared_data: Path,
) -> None:
    pytest.importorskip('rosbags', reason="no rosbags: pip install '.[bag]'")
    with (
        pytest.raises(InputError, match='name the folder of the bag'),
        open_source(str(shared_data / 'faults' / 'message_compressed_alone.db3')) as source,
    ):
        for frame in source:
            assert isinstance(frame, Frame), frame.reason


def test_bags_are_told_under_any_name(tmp_path: Path) -> None:
    path = tmp_path / 'recording.DB3'
    with sqlite3.connect(path) as base:
        base.execute('create table a (b)')
    base.close()
    assert kind_of(path) is FileKind.DB3
    assert kind_of_data(b'\x89MCAP0\r\n') is FileKind.MCAP


@pytest.mark.parametrize('name', ['checkpoint.pth.tar', 'espnet_best', 'model.onnx'])
def test_checkpoints_are_told_under_any_name(tmp_path: Path, name: str) -> None:
    torch = pytest.importorskip('torch')
    path = tmp_path / name
    torch.save({'weight': torch.zeros(2)}, path)
    assert is_checkpoint(path)
    with pytest.raises(ModelError, match=r'expected one of .*ESPNet'):
        open_any_model(str(path), ForeignModelSettings())


@pytest.mark.parametrize(('content', 'told'), [(LFS, 'git lfs pull'), (b'<html>', 'HTML')])
def test_files_that_are_no_model_say_what_they_are(
    tmp_path: Path, content: bytes, told: str
) -> None:
    path = tmp_path / 'model.onnx'
    path.write_bytes(content)
    with pytest.raises(ModelError, match=told):
        open_any_model(str(path), ForeignModelSettings())


def test_onnx_files_are_told(channel_model_path: Path, tmp_path: Path) -> None:
    assert kind_of(channel_model_path) is FileKind.ONNX
    path = tmp_path / 'named.onnx'
    onnx.save(onnx.ModelProto(ir_version=10, producer_name='a'), path)
    assert kind_of(path) is FileKind.ONNX


def test_what_is_left_out_of_a_folder_is_counted_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ('a.png', 'b.webp', 'c.ppm', 'd.tif'):
        assert cv2.imwrite(str(tmp_path / name), PICTURE)
    (tmp_path / 'notes.txt').write_text('words')
    (tmp_path / 'link.png').symlink_to(tmp_path / 'gone.png')
    with caplog.at_level(logging.WARNING):
        assert [path.name for path in list_images(tmp_path)] == [
            'a.png',
            'b.webp',
            'c.ppm',
            'd.tif',
        ]
    assert '2 left out, no image files: link.png, notes.txt' in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING), open_source(str(tmp_path)) as source:
        assert source.frame_count == 4
    assert '2 left out' in caplog.text


def test_folders_of_images_below_are_told_but_not_those_of_results(tmp_path, caplog):
    for name in ('a.png', 'more/b.png', 'out/a_mask.png', 'out/summary.json', 'empty/c.txt'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in list_images(tmp_path)] == ['a.png']
    assert '1 left out, no image files: more/' in caplog.text
