"""The camera source node, over a real ROS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
import os
from pathlib import Path
import signal
import subprocess
import sys
from threading import Event
import time
from typing import Any

import numpy as np
import pytest
import yaml

pytest.importorskip('rclpy')

from espnet_ros.config import CameraSourceSettings
from espnet_ros.exceptions import ConfigError, InputError
from espnet_ros.nodes.camera_source.node import CameraSourceNode
from espnet_ros.processing.codecs import write_image
from espnet_ros.processing.image_messages import compressed_to_bgr, image_to_bgr
from espnet_ros.settings import list_settings, read_settings, setting_values
from espnet_ros.sources.street import StreetSource
from rclpy.parameter import Parameter
from ros_harness import PROCESSES
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from time_limits import message_limit_s

ROOT = Path(__file__).resolve().parents[3]
SMALL = {'size': [60, 80], 'rate_hz': 50.0}
LIMIT_S = 60.0

Play = Callable[..., CameraSourceNode]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def play(ros: Any) -> Play:
    """Return a function that plays with some parameters."""

    def play(on_end: Callable[[int], None] = lambda _: None, **values: Any) -> CameraSourceNode:
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        node = CameraSourceNode(on_end, context=ros.context, parameter_overrides=overrides)
        return ros.add(node)

    return play


def write_folder(folder: Path, *, broken: int = -1, count: int = 4) -> Path:
    for index in range(count):
        path = folder / f'{index}.png'
        write_image(path, np.full((6, 8, 3), 10 + index, np.uint8))
        if index == broken:
            path.write_bytes(path.read_bytes()[:40])
    return folder


def test_image_info_and_truth_of_a_frame_share_a_stamp_and_agree(ros: Any, play: Play) -> None:
    infos, truths = (
        ros.listen(CameraInfo, 'camera_info'),
        ros.listen(Image, 'camera_source/labels'),
    )
    images = ros.listen(Image, 'image_raw')
    play(publish_labels=True, frame_id='front_optical', seed=3, **SMALL)
    truth = truths.wait_for()
    stamp = truth.header.stamp
    image = images.wait_for(lambda m: m.header.stamp == stamp)
    info = infos.wait_for(lambda m: m.header.stamp == stamp)
    assert {m.header.frame_id for m in (image, info, truth)} == {'front_optical'}
    assert (image.encoding, image.height, image.width, image.step) == ('bgr8', 60, 80, 240)
    assert (truth.encoding, truth.height, truth.width, truth.step) == ('mono8', 60, 80, 80)

    street = StreetSource(size=(60, 80), rate_hz=50.0, seed=3)
    shown = image_to_bgr(image)
    index = next(i for i in range(500) if np.array_equal(street.frame(i).image_bgr, shown))
    labels = np.frombuffer(truth.data, np.uint8).reshape(60, 80)
    assert np.array_equal(labels, street.frame(index).labels)
    camera = street.camera
    assert list(info.k) == [camera.fx, 0, camera.cx, 0, camera.fy, camera.cy, 0, 0, 1]
    assert (info.height, info.width, info.distortion_model) == (60, 80, 'plumb_bob')
    assert list(info.d) == [0.0] * 5
    assert list(info.p)[:7] == [camera.fx, 0, camera.cx, 0, 0, camera.fy, camera.cy]


def test_rate_is_the_one_given_or_that_of_the_source(play: Play, tmp_path: Path) -> None:
    folder = str(write_folder(tmp_path))
    for values, rate_hz in (
        ({'source': folder}, 10),
        ({'source': folder, 'rate_hz': 40.0}, 40),
        ({'size': [16, 16]}, 25),
        (SMALL, 50),
    ):
        periods_ns = [timer.timer_period_ns for timer in play(**values).timers]
        assert 1_000_000_000 // rate_hz in periods_ns


def test_camera_name_is_put_before_the_topics(ros: Any, play: Play) -> None:
    images = ros.listen(Image, 'front/image_raw')
    infos = ros.listen(CameraInfo, 'front/camera_info')
    truths = ros.listen(Image, 'camera_source/front/labels')
    play(camera='front', publish_labels=True, **SMALL)
    for inbox in (images, infos, truths):
        inbox.wait_for()


def test_both_transports_carry_the_same_image(ros: Any, play: Play) -> None:
    raw = ros.listen(Image, 'image_raw', 100)
    compressed = ros.listen(CompressedImage, 'image_raw/compressed', 100)
    play(transport='both', jpeg_quality=100, **SMALL)
    jpeg = compressed.wait_for()
    image = raw.wait_for(lambda m: m.header.stamp == jpeg.header.stamp)
    assert jpeg.header.frame_id == image.header.frame_id == 'camera_optical_frame'
    assert jpeg.format == 'bgr8; jpeg compressed bgr8'
    difference = compressed_to_bgr(jpeg).astype(int) - image_to_bgr(image)
    assert np.abs(difference).mean() < 4


def test_files_have_no_calibration_unless_they_know_one(
    ros: Any, play: Play, tmp_path: Path
) -> None:
    images = ros.listen(Image, 'image_raw')
    node = play(source=str(write_folder(tmp_path)), loop=True)
    images.wait_for()
    assert node.count_publishers('camera_info') == 0
    assert node.count_publishers('image_raw') == 1


def test_images_come_in_order_and_the_end_is_told(ros: Any, play: Play, tmp_path: Path) -> None:
    write_folder(tmp_path, broken=1)
    images = ros.listen(Image, 'image_raw', 10)
    ended, codes = Event(), []
    play(lambda code: (codes.append(code), ended.set()), source=str(tmp_path), rate_hz=5.0)
    assert ended.wait(message_limit_s())
    assert codes == [0]
    last = images.wait_for(lambda m: m.data[0] == 13)
    assert (last.height, last.width) == (6, 8)
    assert not images.messages


def test_loop_plays_again(ros: Any, play: Play, tmp_path: Path) -> None:
    images = ros.listen(Image, 'image_raw', 10)
    play(source=str(write_folder(tmp_path, count=2)), loop=True, rate_hz=50.0)
    for value in (10, 11, 10, 11):
        images.wait_for(lambda m, value=value: m.data[0] == value)


def test_a_bag_is_played_at_the_rate_of_its_stamps(ros: Any, play: Play, tmp_path: Path) -> None:
    pytest.importorskip('rosbags', reason="no rosbags: pip install '.[bag]'")
    from bags import write_bag

    fields = {'encoding': 'mono8', 'height': 2, 'width': 2, 'is_bigendian': 0, 'step': 2}
    messages = [
        ('Image', fields | {'data': np.full(4, value, np.uint8)}) for value in (10, 11, 12)
    ]
    bag = write_bag(tmp_path / 'bag', {'/front': messages, '/rear': messages[:1]})
    images = ros.listen(Image, 'image_raw', 10)
    node = play(source=f'{bag}:/front', loop=True)
    assert 50_000_000 in [timer.timer_period_ns for timer in node.timers]
    for value in (10, 11, 12, 10):
        images.wait_for(lambda m, value=value: m.data[0] == value)


def test_nothing_readable_ends_with_an_error(play: Play, tmp_path: Path) -> None:
    (tmp_path / 'a.png').write_bytes(b'nonsense')
    ended, codes = Event(), []
    play(lambda code: (codes.append(code), ended.set()), source=str(tmp_path), rate_hz=50.0)
    assert ended.wait(message_limit_s())
    assert codes == [1]


def test_nothing_is_read_or_played_while_nobody_listens(
    ros: Any, play: Play, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ended = Event()
    folder = write_folder(tmp_path, broken=1)
    play(lambda _: ended.set(), source=str(folder), rate_hz=10.0)
    assert not ended.wait(1.0)
    assert 'left out' not in capfd.readouterr().err
    images = ros.listen(Image, 'image_raw')
    for value in (10, 12, 13):
        assert images.wait_for().data[0] == value
    assert ended.wait(message_limit_s())
    assert 'left out' in capfd.readouterr().err


def stop_listening(ros: Any, topic: str) -> None:
    for subscription in list(ros.probe.subscriptions):
        if subscription.topic_name == topic:
            ros.probe.destroy_subscription(subscription)


def test_a_file_goes_on_where_it_was_when_the_last_listener_left(
    ros: Any, play: Play, tmp_path: Path
) -> None:
    rate_hz = 20.0
    node = play(source=str(write_folder(tmp_path, count=200)), rate_hz=rate_hz)
    (publisher,) = [p for p in node.publishers if p.topic_name == '/image_raw']
    images = ros.listen(Image, 'image_raw', 100)
    last = images.wait_for(lambda m: m.data[0] >= 15)
    leaving_s = time.monotonic()
    stop_listening(ros, '/image_raw')
    ros.wait_until(lambda: not publisher.get_subscription_count(), 'end of the listener')
    left_s = time.monotonic() - leaving_s
    last = images.messages[-1] if images.messages else last
    Event().wait(2.0)
    first = ros.listen(Image, 'image_raw', 100).wait_for()
    # What was on its way as the listener left is nobody's.
    assert 0 < int(first.data[0]) - int(last.data[0]) < (left_s + 1.0) * rate_hz


def test_an_output_that_is_wanted_later_has_every_image_from_then_on(
    ros: Any, play: Play, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path, count=30)
    raw = ros.listen(Image, 'image_raw', 100)
    node = play(source=str(folder), transport='both', rate_hz=5.0)
    raw.wait_for()
    compressed = ros.listen(CompressedImage, 'image_raw/compressed', 100)
    (publisher,) = [p for p in node.publishers if p.topic_name.endswith('compressed')]
    ros.wait_until(lambda: publisher.get_subscription_count() > 0, 'listener')
    first = compressed.wait_for().header.stamp
    raw.wait_for(lambda image: image.header.stamp == first)
    for _ in range(3):
        assert compressed.wait_for().header.stamp == raw.wait_for().header.stamp


def test_camera_info_alone_comes_without_an_image(ros: Any, play: Play, tmp_path: Path) -> None:
    pytest.importorskip('rosbags', reason="no rosbags: pip install '.[bag]'")
    from bags import camera_info, gray_image, write_bag

    topics = {
        '/front/image_raw': [gray_image(10 + n) for n in range(3)],
        '/front/camera_info': [camera_info(10.0 + n) for n in range(3)],
    }
    ended = Event()
    infos = ros.listen(CameraInfo, 'camera_info', 100)
    play(lambda _: ended.set(), source=str(write_bag(tmp_path / 'bag', topics)), rate_hz=20.0)
    stamps = [infos.wait_for(lambda m: m.k[0] == 10.0).header.stamp for _ in range(8)]
    assert len({(stamp.sec, stamp.nanosec) for stamp in stamps}) == 8
    assert not ended.is_set()
    images = ros.listen(Image, 'image_raw', 100)
    for value in (10, 11, 12):
        image = images.wait_for()
        assert image.data[0] == value
        info = infos.wait_for(lambda m, stamp=image.header.stamp: m.header.stamp == stamp)
        assert info.k[0] == value
    assert ended.wait(message_limit_s())


def test_simulated_time_stamps_the_images(ros: Any, play: Play) -> None:
    images = ros.listen(Image, 'image_raw')
    play(use_sim_time=True, **SMALL)
    clock = ros.publisher(Clock, '/clock')
    message = Clock()
    for step in range(1, 400):
        message.clock.sec = 7
        message.clock.nanosec = step * 1_000_000
        clock.publish(message)
        try:
            stamp = images.wait_for(limit_s=0.02).header.stamp
        except pytest.fail.Exception:
            continue
        assert stamp.sec == 7
        return
    pytest.fail('no image in simulated time')


@pytest.mark.parametrize(
    ('values', 'error', 'message'),
    [
        ({'source': 'none.mp4'}, InputError, 'no such file'),
        ({'source': '97'}, InputError, 'webcam 97'),
        ({'source': 97}, InputError, 'webcam 97'),
        ({'size': [10, 0]}, ConfigError, 'size: expected'),
        ({'transport': 'theora'}, ConfigError, 'raw, compressed, both'),
        ({'camera': 'two words'}, ConfigError, 'two words'),
        ({'rate_hz': -1.0}, ConfigError, 'rate_hz'),
        ({'camera_info_topic': '/front/camera_info'}, InputError, 'camera_info_topic'),
        ({'source': 'a' * 5000}, InputError, 'cannot be opened'),
        ({'base_frame': ''}, ConfigError, 'base_frame: expected'),
        ({'base_frame': '/base_link'}, ConfigError, 'base_frame: expected'),
        ({'base_frame': 'robot', 'frame_id': 'robot'}, ConfigError, 'base_frame: expected'),
    ],
)
def test_what_cannot_be_played_is_refused(
    play: Play, values: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        play(**values)


def test_truth_of_files_is_refused(play: Play, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='publish_labels'):
        play(source=str(write_folder(tmp_path)), publish_labels=True)


@pytest.fixture
def start(ros_domain: int) -> Iterator[Start]:
    """Return a function that starts the node as a process of its own."""
    with ExitStack() as processes:

        def start(**values: object) -> subprocess.Popen[str]:
            command = [sys.executable, '-m', 'espnet_ros.nodes.camera_source.node', '--ros-args']
            for name, value in values.items():
                command += ['-p', f'{name}:={value}']
            environment = {**os.environ, 'ROS_DOMAIN_ID': str(ros_domain)}
            process = processes.enter_context(
                subprocess.Popen(
                    command, cwd=ROOT, env=environment, text=True,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                )
            )  # fmt: skip
            processes.callback(process.kill)
            return process

        yield start


def cpu_share(process: subprocess.Popen[str], seconds: float) -> float:
    """Return the share of a core that a process takes for so long."""
    psutil = pytest.importorskip('psutil')
    before = psutil.Process(process.pid).cpu_times()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(seconds)
    after = psutil.Process(process.pid).cpu_times()
    return (after.user + after.system - before.user - before.system) / seconds


def test_the_street_is_rendered_for_listeners_alone(ros: Any, start: Start) -> None:
    ros.patience = PROCESSES
    process = start()
    ros.wait_until(lambda: ros.probe.count_publishers('image_raw') > 0, 'camera')
    ros.wait_until(lambda: cpu_share(process, 0.5) < 0.1, 'rest')
    assert cpu_share(process, 2.0) < 0.1
    images = ros.listen(Image, 'image_raw', 100)
    first, second = images.wait_for().header.stamp, images.wait_for().header.stamp
    assert (second.sec, second.nanosec) > (first.sec, first.nanosec)
    stop_listening(ros, '/image_raw')
    ros.wait_until(lambda: cpu_share(process, 0.5) < 0.1, 'rest')
    assert cpu_share(process, 2.0) < 0.1


def test_source_that_is_not_there_ends_the_process_with_one_line(start: Start) -> None:
    process = start(source='none.mp4')
    output, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 1
    assert len(output.splitlines()) == 1
    assert '[FATAL]' in output
    assert 'no such file' in output


def test_end_of_the_source_ends_the_process(ros: Any, start: Start, tmp_path: Path) -> None:
    ros.listen(Image, 'image_raw')
    process = start(source=write_folder(tmp_path, broken=2), rate_hz=50.0)
    output, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, output
    assert output.count('left out') == 1
    assert 'end after 3 frames' in output
    assert 'Traceback' not in output


def test_damaged_video_ends_the_process_with_an_error(
    ros: Any, start: Start, shared_data: Path, tmp_path: Path
) -> None:
    ros.listen(Image, 'image_raw')
    data = (shared_data / 'clips' / 'highway_960x540.mp4').read_bytes()
    (tmp_path / 'cut.mp4').write_bytes(data[: len(data) // 6])
    process = start(source=tmp_path / 'cut.mp4', rate_hz=500.0)
    output, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 1, output
    assert '[ERROR]' in output
    assert 'breaks off after' in output
    assert 'Traceback' not in output


@pytest.mark.parametrize('is_bag', [True, False], ids=['bag', 'video'])
def test_a_file_that_vanishes_ends_the_process_with_one_line(
    ros: Any, start: Start, shared_data: Path, tmp_path: Path, is_bag: bool
) -> None:
    path = tmp_path / 'recording'
    if is_bag:
        pytest.importorskip('rosbags', reason="no rosbags: pip install '.[bag]'")
        from bags import gray_image, write_bag

        write_bag(path, {'/image_raw': [gray_image(1)] * 3})
    else:
        path.write_bytes((shared_data / 'clips' / 'highway_960x540.mp4').read_bytes())
    ros.patience = PROCESSES
    process = start(source=path, loop='true', rate_hz=500.0)
    ros.wait_until(lambda: ros.probe.count_publishers('image_raw') > 0, 'camera')
    path.rename(tmp_path / 'gone')
    ros.listen(Image, 'image_raw')
    output, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 1, output
    _, error = output.splitlines()
    assert '[ERROR]' in error
    assert str(path) in error


@pytest.mark.parametrize('kept', [0.3, 0.9])
def test_a_bag_that_was_cut_off_ends_the_process_with_one_line(
    ros: Any, start: Start, tmp_path: Path, kept: float
) -> None:
    pytest.importorskip('rosbags', reason="no rosbags: pip install '.[bag]'")
    from bags import gray_image, write_bag
    from rosbags.rosbag2 import StoragePlugin

    messages = [gray_image(n, (100, 100)) for n in range(100)]
    bag = write_bag(tmp_path / 'bag', {'/image_raw': messages}, storage=StoragePlugin.SQLITE3)
    (path,) = bag.glob('*.db3')
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    ros.listen(Image, 'image_raw')
    process = start(source=path, rate_hz=500.0)
    output, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 1, output
    assert str(path) in output.splitlines()[-1]
    assert len(output.splitlines()) <= 2


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_the_process_in_order(ros: Any, start: Start, number: signal.Signals) -> None:
    images = ros.listen(Image, 'image_raw')
    process = start(size='[90,160]', publish_transform='false')
    images.wait_for(limit_s=LIMIT_S)
    process.send_signal(number)
    output, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, output
    assert 'Traceback' not in output
    assert len(output.splitlines()) == 1


def test_configuration_file_holds_every_parameter_with_its_default() -> None:
    content = yaml.safe_load((ROOT / 'config' / 'camera_source.yaml').read_text())
    values = content['/**/camera_source']['ros__parameters']
    assert set(values) == {entry.name for entry in list_settings(CameraSourceSettings)}
    settings = read_settings(CameraSourceSettings, values)
    assert setting_values(settings) == setting_values(CameraSourceSettings())
