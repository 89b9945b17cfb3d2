"""The processes that a launch plans reach each other, started without ``ros2 launch``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
import json
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from espnet_ros.config import LaunchSettings
from espnet_ros.nodes.launching.plan import plan_launch
from espnet_ros.nodes.launching.process import Process
from ros_harness import PROCESSES
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from ..conftest import ROOT

STOP_LIMIT_S = 30.0


def command_line(process: Process, namespace: str) -> list[str]:
    """Return what runs a process as ``ros2 launch`` would."""
    words = [sys.executable, '-m', f'espnet_ros.nodes.{process.executable}', '--ros-args']
    words += [*process.ros_arguments, '-r', f'__node:={process.name}', '-r', f'__ns:={namespace}']
    for source, target in process.remappings:
        words += ['-r', f'{source}:={target}']
    if process.parameter_file is not None:
        words += ['--params-file', str(process.parameter_file)]
    for name, value in process.parameters.items():
        words += ['-p', f'{name}:={json.dumps(value)}']
    return words


@pytest.fixture
def start(
    ros: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., None]]:
    """Return a function that runs the processes of a launch until the test ends."""
    for name in ('segmentation', 'free_space', 'camera_source'):
        path = tmp_path / 'lib' / 'espnet_ros' / f'{name}_node'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o755)
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    environment = {**os.environ, 'ROS_DOMAIN_ID': str(ros.domain_id)}
    ros.patience = PROCESSES
    with ExitStack() as stack:

        def run(**arguments: Any) -> None:
            settings = LaunchSettings(**arguments)
            for process in plan_launch(settings, ROOT).processes:
                words = command_line(process, f'/{settings.namespace}')
                running = subprocess.Popen(
                    words, env=environment, cwd=ROOT, start_new_session=True
                )
                stack.callback(running.wait, STOP_LIMIT_S)
                stack.callback(running.kill)

        yield run


def test_every_camera_of_a_launch_reaches_free_space(ros: Any, start: Callable[..., None]) -> None:
    names = ('front', 'left')
    inboxes = [ros.listen(PointCloud2, f'/robot/free_space/{name}/points') for name in names]
    start(
        cameras='front,left',
        source='synthetic',
        free_space=True,
        runtime='fake',
        namespace='robot',
    )
    clouds = [inbox.wait_for() for inbox in inboxes]
    assert [cloud.header.frame_id for cloud in clouds] == ['base_link'] * 2


def test_image_topic_alone_brings_the_calibration_along(
    ros: Any, start: Callable[..., None]
) -> None:
    images = ros.listen(Image, '/camera/color/image_raw')
    infos = ros.listen(CameraInfo, '/segmentation/camera_info')
    start(image_topic='/camera/color/image_raw', source='synthetic', runtime='fake')
    images.wait_for()
    infos.wait_for()
    assert ros.probe.count_publishers('/camera/color/camera_info') == 1
