"""A bag as a camera: its images and its calibrations, over a real ROS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('rosbags', reason="no rosbags: pip install '.[bag]'")

from bags import camera_info, gray_image, record_bag, Recorded, STEP_NS
from espnet_ros.nodes.camera_source.node import CameraSourceNode
from rclpy.parameter import Parameter
from rosbags.rosbag2 import StoragePlugin
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

Play = Callable[..., None]
MS = 1_000_000


@pytest.fixture(params=[StoragePlugin.MCAP, StoragePlugin.SQLITE3], ids=['mcap', 'sqlite3'])
def play(ros: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Play:
    """Return a function that plays recorded messages with some parameters."""

    def play(messages: list[Recorded], **values: Any) -> None:
        bag = record_bag(tmp_path / 'bag', messages, storage=request.param)
        values = {'source': str(bag), 'loop': True, 'rate_hz': 20.0} | values
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        ros.add(CameraSourceNode(context=ros.context, parameter_overrides=overrides))

    return play


def zoom(frame_id: str = 'front', info_frame_id: str = 'front') -> list[Recorded]:
    """Return images of 10, 11, 12 ..., each with a calibration of that focal length after it."""
    return [
        message
        for n in range(6)
        for message in (
            Recorded(
                '/cam/image_raw', gray_image(10 + n), n * STEP_NS, n * STEP_NS, frame_id
            ),
            Recorded(
                '/cam/camera_info', camera_info(10.0 + n), n * STEP_NS + MS, n * STEP_NS,
                info_frame_id,
            ),
        )
    ]  # fmt: skip


def test_each_image_comes_with_its_own_camera_info_under_one_new_stamp(
    ros: Any, play: Play
) -> None:
    infos = ros.listen(CameraInfo, 'camera_info', 100)
    images = ros.listen(Image, 'image_raw', 100)
    began = ros.probe.get_clock().now().to_msg()
    play(zoom())
    seen = set()
    while len(seen) < 6:
        image = images.wait_for()
        stamp = image.header.stamp
        info = infos.wait_for(lambda m, stamp=stamp: m.header.stamp == stamp)
        assert stamp.sec >= began.sec
        assert info.k[0] == image.data[0]
        seen.add(image.data[0])


def test_nothing_of_the_recorded_camera_info_is_lost(ros: Any, play: Play) -> None:
    infos = ros.listen(CameraInfo, 'camera_info')
    ros.listen(Image, 'image_raw')
    play(zoom())
    info = infos.wait_for(lambda m: m.k[0] == 12.0)
    _, recorded = camera_info(12.0)
    for name in ('height', 'width', 'distortion_model', 'binning_x', 'binning_y'):
        assert getattr(info, name) == recorded[name]
    for name in ('d', 'k', 'r', 'p'):
        assert list(getattr(info, name)) == recorded[name].tolist()
    for name in ('x_offset', 'y_offset', 'height', 'width', 'do_rectify'):
        assert getattr(info.roi, name) == getattr(recorded['roi'], name)


@pytest.mark.parametrize(
    ('recorded', 'parameter', 'played'),
    [
        (('front', 'front'), '', ('front', 'front')),
        (('front', 'rear'), '', ('front', 'rear')),
        (('front', ''), '', ('front', 'front')),
        (('', ''), '', ('camera_optical_frame', 'camera_optical_frame')),
        (('front', 'rear'), 'mine', ('mine', 'mine')),
    ],
)
def test_the_frames_are_those_of_the_recording_unless_one_is_given(
    ros: Any, play: Play, recorded: tuple[str, str], parameter: str, played: tuple[str, str]
) -> None:
    infos = ros.listen(CameraInfo, 'camera_info', 100)
    images = ros.listen(Image, 'image_raw', 100)
    play(zoom(*recorded), frame_id=parameter)
    image = images.wait_for()
    info = infos.wait_for(lambda m: m.header.stamp == image.header.stamp)
    assert (image.header.frame_id, info.header.frame_id) == played


def test_an_image_without_a_calibration_comes_without(ros: Any, play: Play) -> None:
    infos = ros.listen(CameraInfo, 'camera_info', 100)
    images = ros.listen(CompressedImage, 'front/image_raw/compressed', 100)
    front = ros.listen(CameraInfo, 'front/camera_info', 100)
    late = [m for m in zoom() if m.topic == '/cam/image_raw' or m.recorded_ns > 3 * STEP_NS]
    play(late, camera='front', transport='compressed', loop=False, rate_hz=5.0)
    stamps = [images.wait_for().header.stamp for _ in range(6)]
    told = [front.wait_for() for _ in range(3)]
    assert [info.k[0] for info in told] == [13.0, 14.0, 15.0]
    assert [info.header.stamp for info in told] == stamps[3:]
    assert not front.messages
    assert not infos.messages


def test_another_topic_may_hold_the_calibrations(ros: Any, play: Play) -> None:
    infos = ros.listen(CameraInfo, 'camera_info')
    play(
        [*zoom(), Recorded('/other/info', camera_info(99.0), 0, 0)],
        camera_info_topic='/other/info',
    )
    assert infos.wait_for().k[0] == 99.0
