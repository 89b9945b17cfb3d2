"""What is particular to OpenVINO."""

from __future__ import annotations

from pathlib import Path
import subprocess
import sys

from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import last_line, RuntimeUnavailableError
import numpy as np
import pytest

# Importing openvino itself first would start its telemetry.
pytest.importorskip('espnet_ros.runtimes.openvino', exc_type=ImportError)
from espnet_ros.runtimes.openvino import COMPILED_LIMIT, OpenvinoRuntime, ov

ROOT = Path(__file__).resolve().parents[2]
CAPABILITIES = ov.Core().get_property('CPU', 'OPTIMIZATION_CAPABILITIES')


def test_auto_is_bf16_where_the_cpu_has_it(channel_model):
    with OpenvinoRuntime(channel_model, RuntimeSettings()) as runtime:
        assert runtime.precision == ('bf16' if 'BF16' in CAPABILITIES else 'fp32')


@pytest.mark.parametrize('precision', ['fp32', 'bf16', 'fp16'])
def test_the_precision_asked_for_runs_or_is_refused(channel_model, precision):
    runtime = OpenvinoRuntime(channel_model, RuntimeSettings(precision=precision))
    if precision.upper() in CAPABILITIES:
        with runtime:
            assert runtime.precision == precision
    else:
        with pytest.raises(RuntimeUnavailableError, match=f'has no precision {precision}'):
            runtime.open()


def test_compiled_graphs_do_not_pile_up(channel_model):
    with OpenvinoRuntime(channel_model, RuntimeSettings()) as runtime:
        for count in range(1, COMPILED_LIMIT + 5):
            runtime.infer(np.zeros((count, 16, 32, 3), np.uint8), confidence=bool(count % 2))
        assert len(runtime._requests) == COMPILED_LIMIT


def test_a_graph_is_compiled_once_for_each_shape(channel_model, monkeypatch):
    with OpenvinoRuntime(channel_model, RuntimeSettings()) as runtime:
        compiled = []
        compile_graph = runtime._compile
        monkeypatch.setattr(
            runtime, '_compile', lambda *key: compiled.append(key) or compile_graph(*key)
        )
        for confidence in (False, True, False, True):
            runtime.infer(np.zeros((1, 16, 32, 3), np.uint8), confidence=confidence)
    # The graph without confidence was compiled when the runtime was opened.
    assert compiled == [((1, 16, 32, 3), True)]


def test_nothing_is_sent_to_the_network_by_importing_openvino():
    script = (
        'import os, socket, sys\n'
        'def refuse(event, arguments):\n'
        '    if event.startswith("socket.") or event in ("os.fork", "subprocess.Popen"):\n'
        '        os._exit(42)\n'
        'sys.addaudithook(refuse)\n'
        'import espnet_ros.runtimes.openvino as module\n'
        'module.ov.Core()\n'
        'assert "openvino_telemetry" not in sys.modules\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_last_line_of_an_error_is_the_one_that_speaks():
    assert last_line(RuntimeError('core.cpp:105:\n  Unable to read\n\n')) == 'Unable to read'
    assert last_line(RuntimeError()) == 'RuntimeError'
