"""The direction of imports, and what each part can do without."""

from __future__ import annotations

from pathlib import Path
import re
import subprocess
import sys

import pytest

from .conftest import ROOT

WITHOUT_ROS_AND_TORCH = (
    'espnet_ros.cli.main',
    'espnet_ros.model_file.published',
    'espnet_ros.model_file',
    'espnet_ros.processing.overlay',
    'espnet_ros.runtimes.factory',
    'espnet_ros.segmenter',
    'espnet_ros.sources',
)


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter in the source tree."""
    return subprocess.run(
        [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_imports_point_downwards() -> None:
    """The contracts of .importlinter hold; a broken one is named with its line."""
    result = subprocess.run(
        [sys.executable, '-c', 'from importlinter.cli import lint_imports_command as c; c()'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize('module', WITHOUT_ROS_AND_TORCH)
def test_module_imports_neither_ros_nor_torch(module: str) -> None:
    """A robot needs no torch and a workstation no ROS."""
    heavy = ('rclpy', 'torch', 'sensor_msgs', 'espnet_ros.msg')
    result = run_python(f'import sys, {module}; print([m for m in {heavy} if m in sys.modules])')
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == '[]'


def test_the_package_itself_is_light() -> None:
    """A program that only looks at the package waits for no library."""
    heavy = ('cv2', 'numpy', 'onnx', 'onnxruntime', 'openvino', 'rclpy', 'torch')
    result = run_python(f'import sys, espnet_ros; print([m for m in {heavy} if m in sys.modules])')
    assert result.stdout.strip() == '[]', result.stderr


def test_package_init_holds_nothing_that_is_needed() -> None:
    """A blank __init__.py may replace ours when messages are installed; see its comment."""
    text = (ROOT / 'espnet_ros' / '__init__.py').read_text()
    code = [line for line in text.splitlines() if line and not line.startswith(('#', '"""'))]
    assert code == [
        'from pkgutil import extend_path',
        '__path__ = extend_path(__path__, __name__)',
    ]


def test_nodes_use_no_private_member_of_rclpy_beside_the_one_with_a_fallback() -> None:
    """Each distribution of ROS 2 renames them; nodes/ros/overrides.py says what stands in."""
    private = re.compile(r'\b(?:node|executor|context|publisher|subscription|client|timer)\._\w+')
    imported = re.compile(
        r'^\s*(?:from rclpy\S* import .*\b_\w+|import rclpy\S*\._)', re.MULTILINE
    )
    found = {
        path.name: hits
        for path in (ROOT / 'espnet_ros' / 'nodes').rglob('*.py')
        if (hits := private.findall(path.read_text()) + imported.findall(path.read_text()))
    }
    assert found == {}


def test_nodes_use_the_short_names_of_qos_policies() -> None:
    """The long ones, QoSReliabilityPolicy and so on, have been aliases since Foxy."""
    long_name = re.compile(r'\bQoS(?:History|Durability|Reliability|Liveliness)Policy\b')
    for folder in ('espnet_ros', 'test', 'scripts'):
        for path in (ROOT / folder).rglob('*.py'):
            if path != Path(__file__):
                assert not long_name.search(path.read_text()), path
