"""The frame of OpenVINO beside what the processor can compute."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from ..conftest import ROOT


def test_the_limit_is_the_product_times_the_network() -> None:
    for module in ('openvino', 'torch'):
        pytest.importorskip(module)
    command = ['scripts/benchmark_openvino.py', '--model', 'espnet_p2_q8_camvid_street']
    result = subprocess.run(
        [sys.executable, *command, '--precision', 'fp32', '--side', '128', '--rounds', '1'],
        cwd=ROOT,
        env={'PYTHONPATH': str(ROOT), 'PATH': ''},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout.splitlines()[-1])
    assert 2 < found['gflop'] < 4
    limit_ms = 1e3 * found['gflop'] / found['gflop_per_s']
    assert found['compute_limit_ms'] == pytest.approx(limit_ms)
    assert found['labels_per_limit'] == pytest.approx(found['labels_ms'] / limit_ms)
    assert found['confidence_per_labels'] == pytest.approx(
        found['confidence_ms'] / found['labels_ms']
    )
