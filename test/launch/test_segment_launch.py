"""The launch file in the real ``ros2 launch``: what it starts, how it ends, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import contextlib
from dataclasses import dataclass
from importlib.util import find_spec
import os
from pathlib import Path
import random
import shutil
import signal
import subprocess
import time
from typing import Any

import pytest

psutil = pytest.importorskip('psutil')
if not (find_spec('launch') and find_spec('launch_ros') and shutil.which('ros2')):
    pytest.skip('needs launch, launch_ros and the command ros2', allow_module_level=True)

pytestmark = pytest.mark.ros
TIME_LIMIT_S = 60.0
LAUNCH = ('ros2', 'launch', 'espnet_ros', 'segment.launch.py')
STREET = ('source:=synthetic', 'runtime:=fake')
NODES = ('segmentation', 'free_space', 'camera_source')
ERROR = 'Caught exception in launch'

INCLUDING = """
from launch import LaunchDescription
from launch.actions import ExecuteProcess, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

def generate_launch_description():
    return LaunchDescription([
        ExecuteProcess(cmd=['sleep', '1000']),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource({path!r}),
            launch_arguments={{'source': '/nope.mp4'}}.items(),
        ),
    ])
"""


@dataclass(frozen=True)
class Launched:
    process: subprocess.Popen[bytes]
    log: Path

    def parts(self) -> dict[str, Any]:
        """Return the processes that it has started, by the names of their nodes."""
        found = {}
        for child in psutil.Process(self.process.pid).children():
            words = child.cmdline()
            name = next((w.partition(':=')[2] for w in words if w.startswith('__node:=')), '')
            found[name or ' '.join(words)] = child
        return found

    def wait_for_parts(self, *names: str) -> dict[str, Any]:
        """Wait until processes run."""
        wait_until(lambda: set(names) <= set(self.parts()), f'the processes {names}')
        return self.parts()

    def output(self) -> str:
        return self.log.read_text(errors='replace')

    def end(self) -> int:
        """Wait for its end; return the exit code."""
        return self.process.wait(TIME_LIMIT_S)


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + TIME_LIMIT_S
    while not is_so():
        assert time.monotonic() < end, f'waited {TIME_LIMIT_S:g} s for {what}'
        time.sleep(0.05)


def are_gone(processes: dict[str, Any]) -> bool:
    return not any(process.is_running() for process in processes.values())


@pytest.fixture
def domain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the launched nodes and this process a domain of their own."""
    monkeypatch.setenv('ROS_DOMAIN_ID', str(random.randint(1, 99)))
    for name in ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE'):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def launch(domain: None, tmp_path: Path) -> Iterator[Callable[..., Launched]]:
    """Return a function that launches; whatever is left at the end is killed."""
    launches: list[Launched] = []

    def start(*arguments: str, command: tuple[str, ...] = LAUNCH) -> Launched:
        log = tmp_path / f'launch{len(launches)}.log'
        with log.open('wb') as file:
            process = subprocess.Popen(
                [*command, *arguments],
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        launches.append(Launched(process, log))
        return launches[-1]

    yield start
    for launched in launches:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(launched.process.pid, signal.SIGKILL)
        launched.process.wait(TIME_LIMIT_S)


def wait_for_message(kind: str, topic: str) -> None:
    """Wait in a process of its own for one message."""
    code = f"""
import rclpy, sys, time
from sensor_msgs.msg import Image, PointCloud2
rclpy.init()
node = rclpy.create_node('probe')
seen = []
node.create_subscription({kind}, {topic!r}, seen.append, 1)
end = time.monotonic() + {TIME_LIMIT_S}
while not seen and time.monotonic() < end:
    rclpy.spin_once(node, timeout_sec=0.5)
node.destroy_node()
rclpy.try_shutdown()
sys.exit(not seen)
"""
    subprocess.run(['python3', '-c', code], check=True, timeout=2 * TIME_LIMIT_S)


def test_masks_come_and_ctrl_c_ends_everything(launch: Callable[..., Launched]) -> None:
    launched = launch(*STREET, 'namespace:=robot')
    wait_for_message('Image', '/robot/segmentation/mask')
    parts = launched.parts()
    assert set(parts) == {'segmentation', 'camera_source'}
    launched.process.send_signal(signal.SIGINT)
    assert launched.end() == 0, launched.output()
    assert launched.output().count('process has finished cleanly') == 2, launched.output()
    assert 'Abort' not in launched.output()
    assert are_gone(parts)


def test_two_cameras_reach_free_space(launch: Callable[..., Launched]) -> None:
    launched = launch(*STREET, 'cameras:=front,left', 'free_space:=true')
    wait_for_message('Image', '/segmentation/front/mask')
    for camera in ('front', 'left'):
        wait_for_message('PointCloud2', f'/free_space/{camera}/points')
    assert set(launched.parts()) == {
        *('segmentation', 'free_space', 'camera_source_front', 'camera_source_left')
    }


@pytest.mark.parametrize(
    'argument',
    [
        'params_file:=/nope.yaml',
        'free_space_params_file:=/nope.yaml',
        'source:=/nope.mp4',
        'source:=987',
        'model:=nope',
        'model:=/nope.onnx',
        'cameras:=front,2nd',
        'runtime:=magic',
    ],
)
def test_what_cannot_start_ends_the_launch_before_anything_starts(
    launch: Callable[..., Launched], argument: str
) -> None:
    launched = launch('source:=synthetic', 'free_space:=true', argument)
    assert launched.end() == 1
    output = launched.output()
    lines = [line for line in output.splitlines() if ERROR in line]
    assert len(lines) == 1, output
    assert argument.partition(':=')[2].split(',')[-1] in lines[0]
    assert 'process started' not in output
    assert 'Traceback' not in output


def test_rviz_that_is_not_installed_ends_the_launch_before_anything_starts(
    launch: Callable[..., Launched],
) -> None:
    prefixes = os.environ['AMENT_PREFIX_PATH'].split(os.pathsep)
    if any(Path(prefix, 'lib', 'rviz2').exists() for prefix in prefixes):
        pytest.skip('rviz2 is installed')
    launched = launch('source:=synthetic', 'rviz:=true')
    assert launched.end() == 1
    assert 'rviz2: not installed' in launched.output()
    assert 'process started' not in launched.output()


def test_launch_that_fails_within_another_leaves_nothing_of_that_behind(
    launch: Callable[..., Launched], tmp_path: Path
) -> None:
    ours = Path(__file__).parents[2] / 'launch' / 'segment.launch.py'
    (tmp_path / 'robot.launch.py').write_text(INCLUDING.format(path=str(ours)))
    launched = launch(command=('ros2', 'launch', str(tmp_path / 'robot.launch.py')))
    assert launched.end() == 1
    assert 'source: /nope.mp4' in launched.output()
    mine = [p for p in psutil.process_iter(['cmdline']) if p.info['cmdline'] == ['sleep', '1000']]
    assert [p for p in mine if os.getsid(p.pid) == launched.process.pid] == []


def test_node_that_cannot_configure_ends_the_launch(
    launch: Callable[..., Launched], tmp_path: Path
) -> None:
    (tmp_path / 'broken.onnx').write_bytes(b'no model')
    launched = launch('source:=synthetic', f'model:={tmp_path}/broken.onnx')
    assert launched.end() == 1
    assert 'segmentation has died (exit code 1)' in launched.output()
    assert 'cannot configure' in launched.output()


@pytest.mark.parametrize('name', NODES)
def test_death_of_a_part_ends_the_launch_with_an_error(
    launch: Callable[..., Launched], name: str
) -> None:
    launched = launch(*STREET, 'free_space:=true')
    parts = launched.wait_for_parts(*NODES)
    parts[name].kill()
    assert launched.end() == 1
    assert f'{name} has died (exit code -9)' in launched.output()
    assert are_gone(parts), launched.output()


@pytest.mark.parametrize('name', NODES)
def test_part_that_dies_is_started_again_where_that_is_wanted(
    launch: Callable[..., Launched], name: str
) -> None:
    launched = launch(*STREET, 'free_space:=true', 'on_death:=respawn')
    before = launched.wait_for_parts(*NODES)
    before[name].kill()
    wait_until(lambda: not before[name].is_running(), 'the death')
    after = launched.wait_for_parts(*NODES)
    assert [n for n in NODES if after[n].pid != before[n].pid] == [name]
    wait_for_message('Image', '/segmentation/mask')
    os.killpg(launched.process.pid, signal.SIGINT)
    assert launched.end() == 0, launched.output()
    assert are_gone(after)


def test_source_that_ends_in_order_is_not_started_again(launch: Callable[..., Launched]) -> None:
    launched = launch(*STREET, 'on_death:=respawn')
    wait_for_message('Image', '/segmentation/mask')
    source = launched.parts()['camera_source']
    source.send_signal(signal.SIGINT)
    wait_until(lambda: 'process has finished cleanly' in launched.output(), 'its end')
    with pytest.raises(subprocess.TimeoutExpired):
        launched.process.wait(3.0)
    assert set(launched.parts()) == {'segmentation'}
    assert launched.output().count('[camera_source_node-2]: process started') == 1


def test_transport_profile_is_set_unless_the_user_has_one(
    domain: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [*LAUNCH, '--print-description']
    ours = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    monkeypatch.setenv('FASTDDS_DEFAULT_PROFILES_FILE', '/etc/my_profile.xml')
    theirs = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert 'SetEnvironmentVariable' in ours
    assert 'SetEnvironmentVariable' not in theirs
