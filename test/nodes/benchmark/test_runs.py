"""The real nodes in processes of their own, measured over topics."""

from __future__ import annotations

from collections.abc import Callable
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from espnet_ros.cli.main import main

pytestmark = pytest.mark.slow

Bench = Callable[..., dict[str, Any]]


@pytest.fixture
def bench(ros_domain: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Return what measures nodes for a moment and returns what was found."""
    monkeypatch.setenv('ROS_DOMAIN_ID', str(ros_domain))
    file = tmp_path / 'node.json'

    def run(*arguments: object) -> dict[str, Any]:
        common = ['bench', '--node', '--seconds', '1.5', '--sensor', 'none', '--json', str(file)]
        assert main([*common, *(str(argument) for argument in arguments)]) == 0
        result: dict[str, Any] = json.loads(file.read_text())
        return result

    return run


def assert_nothing_is_unaccounted_for(flow: dict[str, Any]) -> None:
    """Check that what was sent either arrived or was lost in one of the places."""
    drops = flow['drops']
    assert min(drops.values()) >= 0, flow
    assert flow['sent'] == flow['received'] + drops['before_node'], flow
    assert flow['received'] == flow['published'] + drops['in_node'] + drops['failed'], flow
    assert flow['published'] == flow['arrived'] + drops['after_node'], flow
    assert 0 < flow['arrived'] <= flow['sent']
    assert 0 < flow['ratio'] <= 1.1
    assert 0 < flow['latency_ms']['p50'] <= flow['latency_ms']['p90'] <= flow['latency_ms']['p99']


def test_the_real_runtime_is_measured_from_image_to_mask(
    bench: Bench, channel_model_path: Path
) -> None:
    model = f'{channel_model_path}@onnxruntime'
    found = bench(model, '--camera-rate', 20, '--size', '64,128')
    assert (found['runtime'], found['precision']) == ('onnxruntime', 'fp32')
    assert found['image'] == 'bgr8 128x64'
    (flow,) = found['flows']
    assert_nothing_is_unaccounted_for(flow)
    assert flow['sent_rate_hz'] == pytest.approx(20, rel=0.5)
    assert 0 < found['best_rate_hz'] <= 20
    assert found['stages_ms']['inference'] > 0
    assert [load['name'] for load in found['processes']] == ['camera', 'segmentation', 'observer']
    assert all(load['core_percent'] > 0 for load in found['processes'])
    assert all(load['memory_mb'] > 10 for load in found['processes'])
    assert found['power_w'] is None and found['energy_per_frame_j'] is None


def test_a_device_of_50_ms_bounds_a_camera_of_60_hz_to_20_masks_a_second(bench: Bench) -> None:
    found = bench('--device-ms', 50, '--camera-rate', 60, '--image-size', '64,128')
    assert (found['runtime'], found['device_latency_ms']) == ('fake', 50)
    assert found['best_rate_hz'] == 20
    (flow,) = found['flows']
    assert_nothing_is_unaccounted_for(flow)
    assert 12 < flow['rate_hz'] < 22
    assert flow['latency_ms']['p50'] >= 50
    assert flow['drops']['in_node'] + flow['drops']['before_node'] > flow['arrived']
    assert 50 <= found['stages_ms']['inference'] < 100


@pytest.mark.long
def test_cameras_on_demand_share_a_batch_and_everything_that_is_subscribed_comes(
    bench: Bench,
) -> None:
    load = ('--device-ms', 20, '--cameras', 2, '--camera-rate', 0, '--size', '64,128')
    found = bench(*load, '--outputs', 'overlay,mask/compressed,camera_info,stats')
    assert found['best_rate_hz'] == 50
    assert [flow['camera'] for flow in found['flows']] == ['camera_0', 'camera_1']
    for flow in found['flows']:
        assert_nothing_is_unaccounted_for(flow)
        assert flow['latency_ms']['p50'] >= 20
        # Two batches of one camera each would leave 25.
        assert flow['rate_hz'] > 10
    outputs = {output['topic']: output for output in found['outputs']}
    assert set(outputs) == {
        f'segmentation/camera_{index}/{name}'
        for index in range(2)
        for name in ('overlay', 'mask/compressed', 'camera_info', 'stats')
    }
    for output in outputs.values():
        assert output['rate_hz'] > 0
        assert output['latency_ms']['p50'] >= 20


@pytest.mark.long
def test_free_space_is_measured_beside_the_node_that_it_reads(bench: Bench) -> None:
    load = ('--device-ms', 10, '--camera-rate', 10, '--size', '180,320')
    found = bench(*load, '--free-space')
    masks, maps = found['flows']
    assert (masks['node'], maps['node']) == ('segmentation', 'free_space')
    for flow in (masks, maps):
        assert_nothing_is_unaccounted_for(flow)
    assert maps['sent'] == masks['published']
    assert maps['latency_ms']['p50'] > masks['latency_ms']['p50'] >= 10
    (scan,) = found['outputs']
    assert scan['topic'] == 'free_space/scan' and scan['rate_hz'] > 0
    loads = {load['name']: load for load in found['processes']}
    assert loads['free_space']['cpu_per_frame_ms'] > 0


def test_free_space_alone_is_fed_with_masks_of_the_street(bench: Bench) -> None:
    found = bench('--free-space-only', '--camera-rate', 10, '--size', '270,480')
    assert (found['image'], found['runtime']) == ('mono8 480x270', None)
    (maps,) = found['flows']
    assert_nothing_is_unaccounted_for(maps)
    assert maps['node'] == 'free_space'
    assert maps['drops']['failed'] <= 2  # the first masks may wait in vain for what they need
    assert found['best_rate_hz'] == 10
    assert [output['topic'] for output in found['outputs']] == ['free_space/scan']
    assert [load['name'] for load in found['processes']] == ['camera', 'free_space', 'observer']


@pytest.mark.parametrize('broken', ['model', 'image'])
def test_what_cannot_be_measured_is_told_in_one_line(
    broken: str,
    ros_domain: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv('ROS_DOMAIN_ID', str(ros_domain))
    image = tmp_path / 'text.png'
    image.write_text('no picture')
    arguments, words = {
        'model': (
            [str(tmp_path / 'none.onnx'), '--size', '64,128'],
            ('the node gave no mask', 'none.onnx'),
        ),
        'image': (['--device-ms', '5', '--image', str(image)], ('cannot play', 'image')),
    }[broken]
    assert main(['bench', *arguments, '--node', '--seconds', '1']) == 1
    error = capsys.readouterr().err
    assert all(word in error for word in words), error
    assert error.count('\n') == 1


@pytest.mark.long
def test_the_table_tells_what_was_found(
    ros_domain: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv('ROS_DOMAIN_ID', str(ros_domain))
    load = ['--device-ms', '5', '--camera-rate', '20', '--size', '64,128', '--seconds', '1']
    assert main(['bench', '--node', *load, '--outputs', 'overlay']) == 0
    table = capsys.readouterr().out
    for words in (
        'stand-in of 5 ms, bgr8 128x64, 20 per second',
        'lost before',
        'segmentation/overlay',
        'CPU ms/frame',
        'Ratio: to the 20 per second of the device alone.',
    ):
        assert words in table
