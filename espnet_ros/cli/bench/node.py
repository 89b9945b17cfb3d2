"""The benchmark of the real nodes, which a process with ROS 2 does."""

from __future__ import annotations

import importlib.util
from pathlib import Path
import pickle
import subprocess
import sys
import tempfile

from espnet_ros.benchmark.contender import parse_contender
from espnet_ros.benchmark.node_case import FREE_SPACE, NodeCase, SEGMENTATION
from espnet_ros.benchmark.node_result import NodeResult
from espnet_ros.cli.bench.options import NodeOptions, Options
from espnet_ros.cli.console import ERROR
from espnet_ros.cli.options import changed
from espnet_ros.exceptions import ConfigError, InferenceError, RuntimeUnavailableError

MODULE = 'espnet_ros.nodes.benchmark'


def measure_node(options: Options) -> NodeResult:
    """
    Measure the nodes over topics.

    :raises ConfigError: options that do not go together
    :raises RuntimeUnavailableError: there is no ROS 2
    :raises InferenceError: the nodes gave nothing
    """
    if importlib.util.find_spec('rclpy') is None:
        raise RuntimeUnavailableError(
            '--node: expected ROS 2, found none; source one, or run make setup'
        )
    case = _make_case(options)
    if case.device_latency_ms is not None and 'runtime' in case.parameters:
        raise ConfigError(
            f'--device-ms: expected no runtime, as the stand-in takes its place, found '
            f'{case.parameters["runtime"]}'
        )
    with ERROR.status(f'measuring the node for {case.measured_s:g} s'):
        return _measure(case)


def refuse_node_options(options: NodeOptions) -> None:
    """
    Refuse options that mean nothing without ``--node``.

    :raises ConfigError: there are some
    """
    named = [
        '--' + name.replace('_', '-')
        for name, value in vars(options).items()
        if value is not None and value is not False
    ]
    if named:
        raise ConfigError(f'{", ".join(named)}: expected --node too, as it is of the nodes')


def _make_case(options: Options) -> NodeCase:
    if len(options.models) > 1:
        raise ConfigError('--node: expected one model, found several')
    named = parse_contender(options.models[0] if options.models else 'auto')
    said = options.nodes
    nodes = None
    if said.free_space or said.free_space_only:
        nodes = (FREE_SPACE,) if said.free_space_only else (SEGMENTATION, FREE_SPACE)
    values = {
        'nodes': nodes,
        'cameras': said.cameras,
        'camera_rate_hz': said.camera_rate,
        'outputs': said.outputs,
        'device_latency_ms': said.device_ms,
        'measured_s': said.seconds,
    }
    foreign = changed(options.foreign)
    return NodeCase(
        parameters={
            'model': named.model,
            **dict(named.said),
            **changed(options.runtime),
            **{f'foreign.{name}': value for name, value in foreign.items()},
            'power.sensor': options.power.sensor,
        },
        image_path=options.protocol.image,
        image_size=options.protocol.size,
        **{name: value for name, value in values.items() if value is not None},  # type: ignore[arg-type]
    )


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
