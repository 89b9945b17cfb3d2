"""Checks of ROS 2 and of the messages of this package."""

from __future__ import annotations

from importlib.util import find_spec
import os
import subprocess
import sys

from espnet_ros.cli.doctor.check import Check, Status

_SOURCE_ROS = 'source /opt/ros/DISTRO/setup.bash, or make setup for the ROS 2 wheels'
_BUILD_MESSAGES = 'colcon build and source install/setup.bash, or make setup'
_IMPORT_TIMEOUT_S = 60


def check_ros() -> list[Check]:
    """Look for ROS 2, the messages of this package, and what is used where it is there."""
    distribution = os.environ.get('ROS_DISTRO', '')
    if find_spec('rclpy') is None:
        found = 'no rclpy; the library and the command line work without'
        if distribution:
            found = f'{distribution} is sourced, but has no rclpy for Python {_python()}'
        return [Check('ros', Status.WARN, found, _SOURCE_ROS)]
    problem = _import_problem('rclpy')
    if problem:
        found = f'rclpy cannot be imported by Python {_python()}: {problem}'
        fix = 'use the Python that this ROS 2 was built for'
        return [Check('ros', Status.WARN, found, fix)]
    where = 'sourced' if 'AMENT_PREFIX_PATH' in os.environ else 'wheels'
    checks = [Check('ros', Status.OK, f'{distribution or "distribution not named"}, {where}')]
    problem = _import_problem('espnet_ros.msg')
    if problem:
        checks.append(
            Check('messages', Status.WARN, f'espnet_ros.msg: {problem}', _BUILD_MESSAGES)
        )
    else:
        checks.append(Check('messages', Status.OK, 'espnet_ros.msg'))
    optional = {
        'vision_msgs': '~/label_info is not published',
        'cv_bridge': 'rare image encodings are refused',
    }
    missing = {name: effect for name, effect in optional.items() if find_spec(name) is None}
    for name, effect in missing.items():
        fix = f'apt install ros-{distribution or "DISTRO"}-{name.replace("_", "-")}'
        checks.append(Check(name, Status.WARN, f'not installed: {effect}', fix))
    return checks


def _import_problem(module: str) -> str:
    """
    Return why another Python process cannot import a module, or an empty string.

    A spec alone proves little: the extension modules of ROS fit one version of Python only.
    """
    command = [sys.executable, '-c', f'import {module}']
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_IMPORT_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f'still not imported after {_IMPORT_TIMEOUT_S} s'
    lines = done.stderr.strip().splitlines()
    return (lines[-1] if lines else f'exit code {done.returncode}') if done.returncode else ''


def _python() -> str:
    return f'{sys.version_info.major}.{sys.version_info.minor}'
