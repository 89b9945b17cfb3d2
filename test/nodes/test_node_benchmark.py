"""The real node in a process of its own, measured over topics."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from espnet_ros.cli.main import main


def test_end_to_end_is_measured_over_topics(
    ros_domain: int,
    channel_model_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('ROS_DOMAIN_ID', str(ros_domain))
    file = tmp_path / 'node.json'
    camera = ['--camera-rate', '20', '--seconds', '1.5', '--size', '64,128', '--sensor', 'none']
    model = f'{channel_model_path}@onnxruntime'
    assert main(['bench', model, '--node', *camera, '--json', str(file)]) == 0
    record = json.loads(file.read_text())
    assert (record['runtime'], record['precision']) == ('onnxruntime', 'fp32')
    assert record['masks_received'] > 5
    assert record['image_rate_hz'] == pytest.approx(20, rel=0.5)
    ages = record['published_to_received_ms']
    assert 0 < ages['p50'] <= ages['p90'] <= ages['p99']
    assert record['stages_ms']['inference'] > 0
    assert record['node_cpu_percent'] > 0
    assert record['power_w'] is None and record['energy_per_frame_j'] is None


def test_node_that_cannot_start_says_why(
    ros_domain: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv('ROS_DOMAIN_ID', str(ros_domain))
    assert main(['bench', str(tmp_path / 'none.onnx'), '--node', '--seconds', '1']) == 1
    error = capsys.readouterr().err
    assert 'the node gave no mask' in error and 'none.onnx' in error
    assert error.count('\n') == 1
