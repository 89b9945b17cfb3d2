"""The launch file starts the real nodes, passes its arguments on, and ends without a trace."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
import os
from pathlib import Path
import random
import shutil
import signal
import subprocess

import pytest

if not (find_spec('launch') and find_spec('launch_ros') and shutil.which('ros2')):
    pytest.skip('needs launch, launch_ros and the command ros2', allow_module_level=True)

pytestmark = pytest.mark.ros
TIME_LIMIT_S = 60.0
LAUNCH = ('ros2', 'launch', 'espnet_ros', 'segment.launch.py')


@pytest.fixture
def domain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the launched nodes and this process a domain of their own."""
    monkeypatch.setenv('ROS_DOMAIN_ID', str(random.randint(1, 99)))
    for name in ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE'):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def launched(domain: None, channel_model_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Launch the node on the synthetic street, below a namespace."""
    arguments = (
        f'model:={channel_model_path}',
        'runtime:=onnxruntime',
        'source:=synthetic',
        'namespace:=robot',
    )
    with subprocess.Popen(
        [*LAUNCH, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        yield process
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def wait_for_mask(topic: str) -> None:
    """Wait in a process of its own for one mask."""
    code = f"""
import rclpy, sys, time
from sensor_msgs.msg import Image
rclpy.init()
node = rclpy.create_node('probe')
seen = []
node.create_subscription(Image, {topic!r}, seen.append, 1)
end = time.monotonic() + {TIME_LIMIT_S}
while not seen and time.monotonic() < end:
    rclpy.spin_once(node, timeout_sec=0.5)
node.destroy_node()
rclpy.try_shutdown()
sys.exit(not seen)
"""
    subprocess.run(['python3', '-c', code], check=True, timeout=2 * TIME_LIMIT_S)


def test_masks_come_and_ctrl_c_ends_everything(launched: subprocess.Popen[str]) -> None:
    wait_for_mask('/robot/segmentation/mask')
    children = subprocess.run(
        ['pgrep', '-P', str(launched.pid)], capture_output=True, text=True, check=True
    ).stdout.split()
    assert len(children) >= 2
    launched.send_signal(signal.SIGINT)
    output, _ = launched.communicate(timeout=TIME_LIMIT_S)
    assert launched.returncode == 0, output
    assert output.count('process has finished cleanly') == 2, output
    assert 'Abort' not in output
    assert not [child for child in children if Path(f'/proc/{child}').exists()]


def test_transport_profile_is_set_unless_the_user_has_one(
    domain: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [*LAUNCH, '--print-description']
    ours = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    monkeypatch.setenv('FASTDDS_DEFAULT_PROFILES_FILE', '/etc/my_profile.xml')
    theirs = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert 'SetEnvironmentVariable' in ours
    assert 'SetEnvironmentVariable' not in theirs


def test_unknown_runtime_is_refused_at_once() -> None:
    result = subprocess.run(
        [*LAUNCH, 'runtime:=magic'], capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode != 0
    assert 'magic' in result.stdout + result.stderr
