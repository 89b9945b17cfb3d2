"""The benchmark of the real node, which a process with ROS 2 does."""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
from typing import Any

from espnet_ros.cli._console import ERROR
from espnet_ros.cli._options import given
from espnet_ros.cli.jobs._contender import parse_contender
from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import ConfigError, InferenceError, RuntimeUnavailableError

MODULE = 'espnet_ros.nodes.node_benchmark'
STARTUP_LIMIT_S = 120.0  # TensorRT builds its engine before the first mask


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """
    Measure the node over topics.

    :raises RuntimeUnavailableError: there is no ROS 2
    :raises InferenceError: the node gave no masks
    """
    if importlib.util.find_spec('rclpy') is None:
        raise RuntimeUnavailableError(
            '--node: expected ROS 2, found none; source one, or run make setup'
        )
    if len(arguments.models) > 1:
        raise ConfigError('--node: expected one model, found several')
    asked = parse_contender(arguments.models[0] if arguments.models else 'auto')
    parameters = {'model': asked.model, **dict(asked.said)}
    parameters |= given(arguments, RuntimeSettings)
    parameters['power.sensor'] = arguments.sensor
    height, width = arguments.size
    command = [sys.executable, '-m', MODULE, '--camera-rate', str(arguments.camera_rate)]
    command += ['--seconds', str(arguments.seconds), '--size', f'{height},{width}']
    command += ['--startup-limit', str(STARTUP_LIMIT_S)]
    if arguments.image is not None:
        command += ['--image', str(arguments.image)]
    command += [f'{name}:={value}' for name, value in parameters.items()]
    with ERROR.status(f'measuring the node for {arguments.seconds:g} s'):
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        words = ' '.join(ended.stderr.splitlines()[-3:]) or f'exit code {ended.returncode}'
        raise InferenceError(f'the node could not be measured: {words}')
    record: dict[str, Any] = json.loads(ended.stdout)
    return record
