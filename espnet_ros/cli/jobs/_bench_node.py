"""The benchmark of the real nodes, which a process with ROS 2 does."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
import pickle
import subprocess
import sys
import tempfile
from typing import Any

from espnet_ros.benchmark.node_case import NodeCase
from espnet_ros.benchmark.node_result import NodeResult
from espnet_ros.cli._console import ERROR
from espnet_ros.cli._options import given
from espnet_ros.cli.bench import NODE_FLAGS
from espnet_ros.cli.jobs._contender import parse_contender
from espnet_ros.config import ForeignModelSettings, RuntimeSettings
from espnet_ros.exceptions import ConfigError, InferenceError, RuntimeUnavailableError

MODULE = 'espnet_ros.nodes.benchmark'


def run(arguments: argparse.Namespace) -> NodeResult:
    """
    Measure the nodes over topics.

    :raises ConfigError: arguments that do not go together
    :raises RuntimeUnavailableError: there is no ROS 2
    :raises InferenceError: the nodes gave nothing
    """
    if importlib.util.find_spec('rclpy') is None:
        raise RuntimeUnavailableError(
            '--node: expected ROS 2, found none; source one, or run make setup'
        )
    case = NodeCase(
        parameters=_parameters(arguments),
        image_path=arguments.image,
        image_size=arguments.size,
        **given(arguments, NodeCase),
    )
    if case.device_latency_ms is not None and 'runtime' in case.parameters:
        raise ConfigError(
            f'--device-ms: expected no runtime, as the stand-in takes its place, found '
            f'{case.parameters["runtime"]}'
        )
    with ERROR.status(f'measuring the node for {case.measured_s:g} s'):
        return _measure(case)


def refuse_options(arguments: argparse.Namespace) -> None:
    """
    Refuse arguments that mean nothing without ``--node``.

    :raises ConfigError: there are some
    """
    named = [NODE_FLAGS[field] for field in given(arguments, NodeCase)]
    if named:
        raise ConfigError(f'{", ".join(named)}: expected --node too, as it is of the nodes')


def _parameters(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what was said of the segmentation node."""
    if len(arguments.models) > 1:
        raise ConfigError('--node: expected one model, found several')
    asked = parse_contender(arguments.models[0] if arguments.models else 'auto')
    foreign = given(arguments, ForeignModelSettings)
    return {
        'model': asked.model,
        **dict(asked.said),
        **given(arguments, RuntimeSettings),
        **{f'foreign.{name}': value for name, value in foreign.items()},
        'power.sensor': arguments.sensor,
    }


def _measure(case: NodeCase) -> NodeResult:
    with tempfile.TemporaryDirectory() as folder:
        result_path = Path(folder) / 'result'
        ended = subprocess.run(
            [sys.executable, '-m', MODULE, str(result_path)],
            input=pickle.dumps(case),
            capture_output=True,
            check=False,
        )
        if ended.returncode:
            lines = ended.stderr.decode(errors='replace').splitlines()
            words = ' '.join(lines[-3:]) or f'exit code {ended.returncode}'
            raise InferenceError(f'the node could not be measured: {words}')
        result: NodeResult = pickle.loads(result_path.read_bytes())
        return result
