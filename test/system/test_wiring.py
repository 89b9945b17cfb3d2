"""The topics of a launch lead to each other, under whatever names its arguments give them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from sensor_msgs.msg import CameraInfo, Image


def await_publisher(ros: Any, topic: str) -> None:
    """Wait for one publisher: the node may have heard of it before the probe has."""
    ros.wait_until(lambda: ros.probe.count_publishers(topic) == 1, f'one publisher of {topic}')


def test_image_topic_alone_brings_the_calibration_along(
    ros: Any, launch: Callable[..., Any]
) -> None:
    images = ros.listen(Image, '/camera/color/image_raw')
    infos = ros.listen(CameraInfo, '/segmentation/camera_info')
    launch(image_topic='/camera/color/image_raw', source='synthetic', runtime='fake')
    images.wait_for()
    infos.wait_for()
    await_publisher(ros, '/camera/color/camera_info')


def test_calibration_elsewhere_is_taken_from_there(ros: Any, launch: Callable[..., Any]) -> None:
    infos = ros.listen(CameraInfo, '/segmentation/camera_info')
    launch(camera_info_topic='/elsewhere/info', source='synthetic', runtime='fake')
    infos.wait_for()
    await_publisher(ros, '/elsewhere/info')
