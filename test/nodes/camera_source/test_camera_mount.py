"""The transform of the synthetic camera, over a real ROS, with a stand-in for tf2_msgs."""

from __future__ import annotations

from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
import sys
import types
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')

from espnet_ros.nodes.camera_source.node import CameraSourceNode
from espnet_ros.nodes.ros.qos import latched_qos
from espnet_ros.planning.geometry.pose import matrix_pose, mounted_pose, transform_matrix
from espnet_ros.processing.codecs import write_image
from espnet_ros.sources.street.source import HEIGHT_M, PITCH_RAD
from geometry_msgs.msg import TransformStamped
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, Image

Play = Callable[..., CameraSourceNode]
SMALL = {'size': [60, 80], 'rate_hz': 50.0}


class OneTransform(type(TransformStamped)):  # type: ignore[misc]
    """Makes of a TFMessage, which no wheel has, the one transform in it."""

    def __call__(cls, *, transforms: list[TransformStamped]) -> TransformStamped:
        (transform,) = transforms
        return transform

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, TransformStamped)


class TFMessage(TransformStamped, metaclass=OneTransform):
    """Stands for tf2_msgs/TFMessage."""


@pytest.fixture
def tf2_msgs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the node find tf2_msgs."""
    package, messages = types.ModuleType('tf2_msgs'), types.ModuleType('tf2_msgs.msg')
    type(TransformStamped).__import_type_support__()  # as rclpy does for a type it publishes
    package.__spec__ = ModuleSpec('tf2_msgs', None)
    messages.TFMessage = TFMessage  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, 'tf2_msgs', package)
    monkeypatch.setitem(sys.modules, 'tf2_msgs.msg', messages)


@pytest.fixture
def play(ros: Any) -> Play:
    """Return a function that plays with some parameters."""

    def play(**values: Any) -> CameraSourceNode:
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        return ros.add(CameraSourceNode(context=ros.context, parameter_overrides=overrides))

    return play


def matrix_of(message: TransformStamped) -> Any:
    shift, turn = message.transform.translation, message.transform.rotation
    return transform_matrix((shift.x, shift.y, shift.z), (turn.x, turn.y, turn.z, turn.w))


@pytest.mark.usefixtures('tf2_msgs')
@pytest.mark.parametrize(
    ('values', 'frames'),
    [
        ({}, ('base_link', 'camera_optical_frame')),
        ({'base_frame': 'robot', 'frame_id': 'front'}, ('robot', 'front')),
    ],
)
def test_late_listeners_too_learn_where_the_camera_looks_from(
    ros: Any, play: Play, values: dict[str, str], frames: tuple[str, str]
) -> None:
    images, infos = ros.listen(Image, 'image_raw'), ros.listen(CameraInfo, 'camera_info')
    play(**values, **SMALL)
    image, info = images.wait_for(), infos.wait_for()
    transform = ros.listen(TransformStamped, '/tf_static', latched_qos()).wait_for()
    assert (transform.header.frame_id, transform.child_frame_id) == frames
    assert image.header.frame_id == info.header.frame_id == frames[1]
    pose = matrix_pose(matrix_of(transform))
    expected = mounted_pose(HEIGHT_M, pitch_rad=PITCH_RAD)
    assert np.allclose(pose.matrix, expected.matrix, rtol=0, atol=1e-12)
    assert pose.position_m == expected.position_m == (0.0, 0.0, HEIGHT_M)
    # What lies 20 m ahead on the ground is where the image shows it.
    ahead = np.linalg.inv(matrix_of(transform)) @ (20.0, 0.0, 0.0, 1.0)
    row = info.k[4] * ahead[1] / ahead[2] + info.k[5]
    drop_rad = np.arctan2(HEIGHT_M, 20.0) - PITCH_RAD
    assert row == pytest.approx(info.k[5] + info.k[4] * np.tan(drop_rad))


@pytest.mark.usefixtures('tf2_msgs')
def test_a_mount_that_is_not_known_or_not_wanted_is_not_published(
    play: Play, tmp_path: Path
) -> None:
    write_image(tmp_path / 'a.png', np.zeros((6, 8, 3), np.uint8))
    for values in ({'source': str(tmp_path)}, {'publish_transform': False, **SMALL}):
        topics = [publisher.topic_name for publisher in play(**values).publishers]
        assert '/image_raw' in topics
        assert '/tf_static' not in topics


def test_without_tf2_msgs_one_line_says_so(
    play: Play, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr('espnet_ros.nodes.camera_source.mount.find_spec', lambda _: None)
    node = play(**SMALL)
    assert '/tf_static' not in [publisher.topic_name for publisher in node.publishers]
    lines = [line for line in capfd.readouterr().err.splitlines() if 'tf2_msgs' in line]
    assert len(lines) == 1
    assert 'base_link to camera_optical_frame' in lines[0]
    assert '[INFO]' in lines[0]
