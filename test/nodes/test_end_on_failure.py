"""A node that cannot start by itself ends its process where that is wanted, and else stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from diagnostic_msgs.msg import DiagnosticArray

LIMIT_S = 60.0


@pytest.fixture
def run(ros: Any) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that runs a node until the test ends."""
    with ExitStack() as stack:

        def start(module: str, *parameters: str) -> subprocess.Popen[str]:
            words = [sys.executable, '-m', f'espnet_ros.nodes.{module}', '--ros-args']
            child = subprocess.Popen(
                [*words, *(word for p in parameters for word in ('-p', p))],
                env=os.environ | {'ROS_DOMAIN_ID': str(ros.domain_id)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            stack.callback(child.communicate)
            stack.callback(child.kill)
            return child

        yield start


@pytest.fixture
def broken_model(tmp_path: Path) -> str:
    """Return the path of a file that is no model."""
    path = tmp_path / 'broken.onnx'
    path.write_bytes(b'no model')
    return str(path)


def test_segmentation_node_ends_with_an_error(run: Callable[..., Any], broken_model: str) -> None:
    child = run('segmentation_node', f'model:={broken_model}', 'end_on_failure:=true')
    output, _ = child.communicate(timeout=LIMIT_S)
    assert child.returncode == 1, output
    (line,) = [line for line in output.splitlines() if 'cannot configure' in line]
    assert 'broken.onnx' in line
    assert 'ros2 lifecycle set' not in line, 'there is nobody left to set'


@pytest.mark.skipif(find_spec('tf2_ros') is not None, reason='tf2_ros is installed')
def test_free_space_node_ends_with_an_error(run: Callable[..., Any]) -> None:
    child = run('free_space_node', 'pose_source:=tf', 'end_on_failure:=true')
    output, _ = child.communicate(timeout=LIMIT_S)
    assert child.returncode == 1, output
    assert 'tf2_ros' in output


def test_without_the_parameter_it_stays_and_says_so(
    ros: Any, run: Callable[..., Any], broken_model: str
) -> None:
    inbox = ros.listen(DiagnosticArray, '/diagnostics')
    child = run('segmentation_node', f'model:={broken_model}')
    inbox.wait_for(lambda m: any('broken.onnx' in s.message for s in m.status))
    assert child.poll() is None
