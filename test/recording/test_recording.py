"""What was seen, as an MCAP file: read back by rosbags, with the definitions that it carries."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
from espnet_ros.cli.main import main
from espnet_ros.sources.street import StreetSource
import numpy as np
import pytest

pytest.importorskip('rosbags', reason='bags need rosbags (extra bag)')

from bags import write_bag
from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import OutputError
from espnet_ros.model_file import load_model_file
from espnet_ros.recording.bag_file import BagFile, definition_texts
from espnet_ros.recording.frame_recorder import FrameRecorder
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmenter import Segmenter
from espnet_ros.sources import Frame
from rosbags.rosbag2 import Reader
from rosbags.typesys import get_types_from_msg, get_typestore, Stores

from ..conftest import ROOT


def read(path: Path) -> dict[str, list[tuple[int, Any]]]:
    """Return the messages by topic, decoded by the definitions of the file alone."""
    found = defaultdict(list)
    store = get_typestore(Stores.EMPTY)
    with Reader(path) as reader:
        for connection in reader.connections:
            store.register(get_types_from_msg(connection.msgdef.data, connection.msgtype))
        for connection, time_ns, data in reader.messages():
            message = store.deserialize_cdr(data, connection.msgtype)
            found[connection.topic].append((time_ns, message))
    return found


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / 'drive.mp4'
    street = StreetSource(size=(64, 96))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 10.0, (96, 64))
    for index in range(4):
        writer.write(street.frame(index).image_bgr)
    writer.release()
    return path


def stamp_ns(message: Any) -> int:
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


def test_a_video_becomes_messages_that_carry_their_definitions(
    video: Path, channel_model_path: Path, tmp_path: Path
) -> None:
    bag, out = tmp_path / 'out.mcap', tmp_path / 'out'
    command = ['segment', str(video), '--model', str(channel_model_path), '--output', str(out),
               '--runtime', 'onnxruntime', '--masks', '--bag', str(bag)]  # fmt: skip
    assert main(command) == 0
    found = read(bag)
    masks = [message for _, message in found['/segmentation/mask']]
    assert len(masks) == 4
    for index, mask in enumerate(masks):
        values = mask.data.reshape(mask.height, mask.step)
        written = cv2.imread(str(out / f'drive_frames/{index:06d}_mask.png'), -1)
        np.testing.assert_array_equal(values, written)
    steps_ns = np.diff([stamp_ns(mask) for mask in masks])
    assert steps_ns.tolist() == [10**8] * 3, 'at the rate of the video'
    for name in ('overlay/compressed', 'stats'):
        messages = [message for _, message in found[f'/segmentation/{name}']]
        assert [stamp_ns(m) for m in messages] == [stamp_ns(m) for m in masks]
    overlay = found['/segmentation/overlay/compressed'][0][1]
    assert cv2.imdecode(overlay.data, cv2.IMREAD_COLOR).shape == (64, 96, 3)
    ((_, labels),) = found['/segmentation/label_set']
    assert [entry.name for entry in labels.classes] == ['blue', 'green', 'red']
    assert sum(found['/segmentation/stats'][0][1].class_fractions) == pytest.approx(1)
    assert main(command) == 1, 'a file that is there is not replaced'
    assert main([*command, '--overwrite']) == 0
    assert len(read(bag)['/segmentation/mask']) == 4, 'what was done before is in it too'
    assert [entry.name for entry in tmp_path.glob('.*')] == [], 'nothing is left behind'


def test_frames_are_stamped_by_their_times_in_the_video(
    channel_model_path: Path, tmp_path: Path
) -> None:
    times_s = (0.0, 0.04, 2.5, 2.5, 2.6)
    image_bgr = np.zeros((16, 32, 3), np.uint8)
    bag = tmp_path / 'out.mcap'
    runtime = open_runtime(load_model_file(channel_model_path), RuntimeSettings())
    with Segmenter(runtime) as segmenter, BagFile(bag) as file:
        recorder = FrameRecorder(file, segmenter)
        (result,) = segmenter.segment([image_bgr])
        for index, time_s in enumerate(times_s):
            recorder.take(Frame(str(index), index, image_bgr, time_s=time_s), result, 10.0)
    found = [stamp_ns(mask) for _, mask in read(bag)['/segmentation/mask']]
    assert (np.diff(found) / 1e9).tolist() == [0.04, 2.46, 0.1, 0.1], 'each is later'


def test_the_messages_of_a_bag_keep_stamps_and_calibration(
    channel_model_path: Path, tmp_path: Path
) -> None:
    image = np.zeros((16, 32, 3), np.uint8)
    fields = {'height': 16, 'width': 32, 'encoding': 'bgr8', 'is_bigendian': 0, 'step': 96}
    stamps_ns = [1_700_000_000_123_456_789, 1_700_000_001_000_000_001]
    message = ('Image', fields | {'data': image.reshape(-1)})
    source = write_bag(
        tmp_path / 'drive', {'/front/image_raw': [message] * 2}, stamps_ns=stamps_ns
    )
    bag = tmp_path / 'out.mcap'
    model = ['--model', str(channel_model_path), '--runtime', 'onnxruntime']
    out = ['--output', str(tmp_path / 'out'), '--bag', str(bag)]
    assert main(['segment', str(source), *model, *out]) == 0
    masks = [message for _, message in read(bag)['/segmentation/mask']]
    assert [stamp_ns(mask) for mask in masks] == stamps_ns
    assert masks[0].header.frame_id == 'front'


def test_several_sources_are_refused_before_the_work(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / 'other.mp4'
    other.write_bytes(video.read_bytes())
    command = ['segment', str(video), str(other), '--bag', str(tmp_path / 'out.mcap')]
    assert main(command) == 2
    assert '--bag: expected one source, found 2' in capsys.readouterr().err
    assert not (tmp_path / 'out.mcap').exists()


def test_a_file_of_another_suffix_or_place_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / 'out.bag', tmp_path / 'absent' / 'deep' / 'out.txt'):
        with pytest.raises(OutputError, match=r'ends with \.mcap'):
            BagFile(path)


def test_the_definitions_are_those_of_the_messages() -> None:
    assert definition_texts() == {
        path.stem: path.read_text() for path in (ROOT / 'msg').glob('*.msg')
    }


def test_what_is_viewed_is_recorded_once_and_whole(
    video: Path, channel_model_path: Path, tmp_path: Path
) -> None:
    pytest.importorskip('aiohttp', reason='the live view needs aiohttp (extra web)')
    bag = tmp_path / 'out.mcap'
    model = ['--model', str(channel_model_path), '--runtime', 'onnxruntime', '--port', '0']
    assert main(['view', str(video), *model, '--record', str(bag)]) == 0
    assert len(read(bag)['/segmentation/mask']) == 4
