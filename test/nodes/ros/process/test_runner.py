"""The node as a process: how it starts, and how it ends."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
import os
import signal
import subprocess
import threading

import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from diagnostic_msgs.msg import DiagnosticArray
from espnet_ros.benchmark.image import street_frame
from espnet_ros.nodes.launching.child_process import node_command
from espnet_ros.nodes.ros.messages.images import array_to_image
from ros_harness import PROCESSES
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from time_limits import slowness

LIMIT_S = 60.0


@pytest.fixture
def ros(ros):
    """Return a ROS that waits for processes to start."""
    ros.patience = PROCESSES
    return ros


@contextmanager
def process(
    domain: int, *arguments: str, executable: str = 'segmentation_node'
) -> Iterator[subprocess.Popen[str]]:
    command = node_command(executable, {})
    environment = os.environ | {'ROS_DOMAIN_ID': str(domain)}
    with subprocess.Popen(
        [*command, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:
        guard = threading.Timer(LIMIT_S * slowness(), child.kill)
        guard.start()
        try:
            yield child
        finally:
            guard.cancel()
            child.kill()


def model_arguments(path) -> list[str]:
    return ['-p', f'model:={path}', '-p', 'runtime:=onnxruntime']


def wait_for_line(child, words) -> str:
    for line in child.stdout:
        if words in line:
            return line
    pytest.fail(f'no line with {words!r}')


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_working_node_ends_in_order_when_asked_to(ros, channel_model_path, number):
    with process(ros.domain_id, *model_arguments(channel_model_path)) as child:
        wait_for_line(child, 'active')
        masks = ros.listen(Image, 'segmentation/mask')
        images = ros.publisher(Image, 'image_raw', 1)
        image = array_to_image(street_frame((540, 960)).image_bgr, 'bgr8', Header())
        ros.probe.create_timer(0.005, lambda: images.publish(image))
        for _ in range(3):
            masks.wait_for()
        child.send_signal(number)
        rest = child.stdout.read()
        assert child.wait() == 0, rest
    for bad in ('Traceback', 'exception', 'Error', 'terminate'):
        assert bad not in rest


def test_a_node_that_does_nothing_yet_ends_in_order(ros):
    diagnostics = ros.listen(DiagnosticArray, '/diagnostics')
    with process(ros.domain_id, '-p', 'autostart:=false') as child:
        diagnostics.wait_for()
        child.send_signal(signal.SIGINT)
        assert child.wait() == 0


def test_a_second_ctrl_c_while_it_ends_changes_nothing(ros):
    """A terminal sends the signal to the nodes too, and ros2 launch passes it on."""
    diagnostics = ros.listen(DiagnosticArray, '/diagnostics')
    with process(ros.domain_id, '-p', 'autostart:=false') as child:
        diagnostics.wait_for()
        while child.poll() is None:
            child.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                child.wait(0.01)
        assert child.returncode == 0


@pytest.mark.parametrize('executable', ['segmentation_node', 'free_space_node'])
def test_a_node_that_cannot_start_by_itself_ends_with_exit_code_1(ros_domain, executable):
    """So that a launch file, systemd or a container sees it."""
    bad = {
        'segmentation_node': ('-p', 'model:=/none.onnx'),
        'free_space_node': ('-p', 'pose_source:=tf'),
    }
    if executable == 'free_space_node' and find_spec('tf2_ros'):
        pytest.skip('tf2_ros is installed')
    with process(ros_domain, *bad[executable], executable=executable) as child:
        output = child.stdout.read()
        assert child.wait() == 1
    (line,) = [line for line in output.splitlines() if 'ERROR' in line or 'FATAL' in line]
    assert 'cannot configure' in line
    assert 'ros2 lifecycle set' not in line, 'there is nobody left to set'
    assert 'Traceback' not in output


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['-p', 'overlay.alpha:=3.0'], 'overlay.alpha: expected 0 to 1, found 3'),
        (['-p', 'cameras:=[a, a]'], 'cameras: expected different names'),
        (['-p', 'roi:=[1, x]'], 'Sequence should be of same type'),
        (['--params-file', 'none.yaml'], 'none.yaml'),
        (['-p', 'use_sim_time:="true"'], 'use_sim_time'),
    ],
)
def test_a_bad_value_at_start_is_one_fatal_line_and_exit_code_1(ros_domain, arguments, words):
    with process(ros_domain, *arguments) as child:
        output = child.stdout.read()
        assert child.wait() == 1
    (fatal,) = [line for line in output.splitlines() if 'FATAL' in line]
    assert words in fatal
    assert 'Traceback' not in output


@pytest.mark.parametrize('has_folder', [True, False])
def test_keys_that_are_missing_are_one_fatal_line_and_exit_code_1(
    ros_domain, monkeypatch, tmp_path, has_folder
):
    if has_folder:
        (tmp_path / 'enclaves' / 'eyes').mkdir(parents=True)
    monkeypatch.setenv('ROS_SECURITY_ENABLE', 'true')
    monkeypatch.setenv('ROS_SECURITY_STRATEGY', 'Enforce')
    monkeypatch.setenv('ROS_SECURITY_KEYSTORE', str(tmp_path) if has_folder else '')
    with process(ros_domain, '--enclave', '/eyes') as child:
        output = child.stdout.read()
        assert child.wait() == 1
    lines = [line for line in output.splitlines() if 'Found security directory' not in line]
    assert len(lines) == 1, output
    keystore = tmp_path if has_folder else 'not set'
    assert f'ROS_SECURITY_KEYSTORE ({keystore}) must have keys of the enclave' in lines[0]


def test_a_service_without_a_home_is_told_what_to_set(ros_domain, monkeypatch):
    for name in ('HOME', 'ROS_HOME', 'ROS_LOG_DIR'):
        monkeypatch.delenv(name, raising=False)
    with process(ros_domain) as child:
        output = child.stdout.read()
        assert child.wait() == 1
    assert 'set HOME or ROS_LOG_DIR' in output
    assert 'Traceback' not in output
