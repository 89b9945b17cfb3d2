"""The command doctor: what it looks at, how it says to fix it, and when it fails."""

import json
from pathlib import Path
import shutil

from espnet_ros.cli.doctor import machine
import pytest


def test_machine_with_a_model_and_a_runtime_can_segment(
    cli, store: Path, channel_model_path: Path
) -> None:
    store.mkdir()
    shutil.copy(channel_model_path, store / 'channels.onnx')
    ended = cli('doctor')
    assert ended.code == 0, ended.out
    assert 'channels on ' in ended.out
    assert 'ms a frame' in ended.out


@pytest.mark.usefixtures('store')
def test_machine_without_a_model_is_told_how_to_get_one(cli) -> None:
    ended = cli('doctor', '--json')
    checks = {check['topic']: check for check in json.loads(ended.out)}
    assert ended.code == 1
    assert checks['models']['status'] == 'fail'
    assert checks['models']['fix'].startswith('espnet-ros models fetch')
    assert 'segmenting' not in checks


def test_damaged_model_is_a_failure_and_not_a_trace(cli, store: Path) -> None:
    store.mkdir()
    (store / 'broken.onnx').write_bytes(b'no model')
    ended = cli('doctor', '--json')
    checks = {check['topic']: check for check in json.loads(ended.out)}
    assert ended.code == 1
    assert 'not a valid ONNX file' in checks['segmenting']['found']


@pytest.mark.usefixtures('store')
def test_every_topic_is_looked_at(cli) -> None:
    topics = {check['topic'] for check in json.loads(cli('doctor', '--json').out)}
    assert topics >= {
        'disk',
        'espnet_ros',
        'libraries',
        'model folder',
        'models',
        'onnxruntime',
        'openvino',
        'processor',
        'python',
        'ros',
        'tensorrt',
        'torch',
    }


@pytest.mark.usefixtures('store')
def test_transport_profile_that_is_missing_is_told(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip('rclpy')
    monkeypatch.setenv('FASTDDS_DEFAULT_PROFILES_FILE', '/nowhere/fastdds.xml')
    checks = {check['topic']: check for check in json.loads(cli('doctor', '--json').out)}
    assert checks['large images']['status'] == 'warn'
    assert 'no such file' in checks['large images']['found']


@pytest.mark.usefixtures('store')
def test_what_cannot_be_read_is_one_line_with_the_way_to_get_it(
    cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip('matplotlib', reason='is to be found')
    find_spec = machine.find_spec
    monkeypatch.setattr(
        machine, 'find_spec', lambda name: None if name == 'rosbags' else find_spec(name)
    )
    checks = {check['topic']: check for check in json.loads(cli('doctor', '--json').out)}
    assert checks['bags']['fix'] == 'pip install rosbags'
    assert 'cannot be read' in checks['bags']['found']
    assert 'plots' not in checks
