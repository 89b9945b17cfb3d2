"""
The whole, as users start it: every process of a launch, with what the launch file gives it.

``launch`` has no wheel, so a test plans the launch as the launch file does and starts the planned
processes itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
import os
from pathlib import Path
import signal
import subprocess
import sys
from typing import Any

from channel_model import make_channel_model
from espnet_ros.labels import LabelSet
from espnet_ros.model_file import ModelInfo
import numpy as np
import onnx
import pytest
from ros_harness import PROCESSES, ros, ros_domain  # noqa: F401  (fixtures)

pytest.importorskip('rclpy', reason='no rclpy')

from espnet_ros.config import LaunchSettings
from espnet_ros.nodes.launching.child_process import node_command
from espnet_ros.nodes.launching.parts import Process
from espnet_ros.nodes.launching.plan import plan_launch
from espnet_ros.nodes.launching.transport import set_transport
from espnet_ros.settings import read_settings

ROOT = Path(__file__).resolve().parents[2]
STOP_LIMIT_S = 20.0


@dataclass
class Launched:
    """The running processes of a launch, by the names of their nodes."""

    processes: dict[str, subprocess.Popen[bytes]]
    logs: dict[str, Path]

    def log(self, name: str) -> str:
        """Return what a node has said so far."""
        return self.logs[name].read_text(errors='replace')

    def end(self, name: str) -> int:
        """Ask a process to end, and return its exit code."""
        process = self.processes[name]
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            return process.wait(STOP_LIMIT_S)
        finally:
            if process.poll() is None:
                process.kill()


def command_of(process: Process, changes: dict[str, Any]) -> list[str]:
    """Return the command line that launch_ros would run."""
    words = node_command(
        process.executable,
        {**process.parameters, **changes},
        [('__node', process.name), *process.remappings],
    )
    if process.parameter_file is not None:
        first = words.index('--ros-args') + 1
        words[first:first] = ['--params-file', str(process.parameter_file)]
    return words


@pytest.fixture
def launch(
    ros: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., Any]]:
    """Return what starts a launch by its arguments, with changed parameters by node."""
    monkeypatch.setenv('AMENT_PREFIX_PATH', sys.prefix, prepend=os.pathsep)
    set_transport()
    ros.patience = PROCESSES
    with ExitStack() as stack:

        def start(changes: dict[str, dict[str, Any]] | None = None, **arguments: Any) -> Launched:
            settings = read_settings(LaunchSettings, arguments)
            plan = plan_launch(settings, ROOT)
            launched = Launched({}, {})
            for process in plan.processes:
                log = launched.logs[process.name] = tmp_path / f'{process.name}.log'
                launched.processes[process.name] = subprocess.Popen(
                    command_of(process, (changes or {}).get(process.name, {})),
                    cwd=ROOT,
                    env=os.environ | {'ROS_DOMAIN_ID': str(ros.domain_id)},
                    stdout=stack.enter_context(log.open('wb')),
                    stderr=subprocess.STDOUT,
                )
                stack.callback(launched.end, process.name)
            return launched

        yield start


@pytest.fixture(scope='session')
def model_with_labels(tmp_path_factory: pytest.TempPathFactory) -> Callable[[LabelSet], Path]:
    """Return what writes a model file of a label set; the runtime "fake" gives its classes."""

    def save(label_set: LabelSet) -> Path:
        proto = make_channel_model()
        info = ModelInfo('stand_in', 'foreign', (), (64, 96), label_set)
        onnx.helper.set_model_props(proto, info.to_metadata())
        path = tmp_path_factory.mktemp('models') / 'stand_in.onnx'
        onnx.save(proto, path)
        return path

    return save


@pytest.fixture(scope='session')
def foreign_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model of another origin: scores of four classes, and not a name of them."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    weights = np.eye(4, 3, dtype=np.float32).reshape(4, 3, 1, 1)
    graph = helper.make_graph(
        [helper.make_node('Conv', ['input', 'weights'], ['scores'])],
        'foreign',
        [helper.make_tensor_value_info('input', kind, [1, 3, 64, 96])],
        [helper.make_tensor_value_info('scores', kind, [1, 4, 64, 96])],
        [onnx.numpy_helper.from_array(weights, 'weights')],
    )
    opset = helper.make_opsetid('', 17)
    path = tmp_path_factory.mktemp('models') / 'foreign.onnx'
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), path)
    return path
