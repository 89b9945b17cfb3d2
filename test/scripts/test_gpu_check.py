"""``make gpu-check``: what is installed runs, the rest says why not, a file is left to send."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
import sys

from fake_tensorrt.board import install_board, make_model
from nvidia_compiler import load_compiler
import pytest

pytest.importorskip('onnxruntime')


@pytest.fixture
def board(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, 'torch', None)  # its own libraries load by what stands in
    yield from install_board(monkeypatch, tmp_path, '10.3.0')


def run_check(monkeypatch, tmp_path) -> tuple[int, dict[str, dict[str, str]]]:
    """Run the script; return its exit code and the results by check."""
    script = Path(__file__).resolve().parents[2] / 'scripts' / 'gpu_check.py'
    spec = importlib.util.spec_from_file_location('gpu_check', script)
    gpu_check = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(gpu_check)
    path = tmp_path / 'brightest.onnx'
    path.write_bytes(make_model().data)
    target = tmp_path / 'check.json'
    monkeypatch.setattr(sys, 'argv', ['gpu_check', '--model', str(path), '--file', str(target)])
    code = gpu_check.main()
    content = json.loads(target.read_text())
    assert set(content) >= {'espnet_ros', 'system', 'runtimes', 'results'}
    return code, {entry['check']: entry for entry in content['results']}


def test_rtx_runs_and_what_is_missing_says_so(board, monkeypatch, tmp_path) -> None:
    load_compiler()
    board.use_rtx()
    code, found = run_check(monkeypatch, tmp_path)
    assert code == 0
    for name in ('fp32', 'fp16', 'labels only', 'resizes', 'resizes one size'):
        assert found[f'TensorRT-RTX {name}']['state'] == 'ran', found
        assert found[f'TensorRT {name}']['state'] == 'not run'
    assert '100.00 % of the labels' in found['TensorRT-RTX fp32']['found']
    assert found['CUDA']['state'] == 'ran'
    assert found['torch fp32']['state'] == 'not run'


def test_tensorrt_runs(board, monkeypatch, tmp_path) -> None:
    _, found = run_check(monkeypatch, tmp_path)
    assert found['TensorRT fp16']['state'] == 'ran', found
    assert 'ms a frame' in found['TensorRT resizes']['found']
