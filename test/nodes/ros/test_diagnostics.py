"""What /diagnostics says while cameras, clocks and runtimes come and go."""

import threading

import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from cameras import image_at
from espnet_ros.exceptions import InferenceError
from espnet_ros.runtimes.onnxruntime import OnnxRuntime
from sensor_msgs.msg import Image
from status_reader import ERROR, OK, StatusReader, values, WARN


@pytest.fixture
def diagnostics(ros):
    return StatusReader(ros)


@pytest.fixture
def often(monkeypatch):
    """Have diagnostics more often than once a second, for tests that wait for one."""
    monkeypatch.setattr('espnet_ros.nodes.ros.diagnostics.PERIOD_S', 0.1)


@pytest.fixture
def camera(ros):
    """Return a camera that publishes ten images a second while it is on."""

    class Camera:
        def __init__(self):
            self.message = image_at(0)
            self._publisher = ros.probe.create_publisher(Image, 'image_raw', 10)
            self._timer = ros.probe.create_timer(0.1, self._publish)
            self._timer.cancel()

        def _publish(self):
            if self.message.data:
                self.message.data[0] ^= 1  # no two images of a camera are the same
            self.message.header.stamp = ros.probe.get_clock().now().to_msg()
            self._publisher.publish(self.message)

        def turn(self, on):
            self._timer.reset() if on else self._timer.cancel()

    return Camera()


def test_every_status_has_a_machine_and_plain_values(segmentation, diagnostics, camera):
    segmentation()
    camera.turn(on=True)
    diagnostics.wait_for('segmentation: output', OK, 'masks are published')
    array = diagnostics.array()
    names = [status.name for status in array.status]
    assert names == [
        'segmentation: model',
        'segmentation: input',
        'segmentation: geometry',
        'segmentation: output',
        'segmentation: latency',
        '/segmentation/mask',
        'segmentation: power',
        'segmentation: device',
    ]
    assert all(status.hardware_id for status in array.status)
    assert array.header.stamp.sec > 0
    model = values(array.status[0])
    assert (model['runtime'], model['classes'], model['state']) == ('onnxruntime', '3', 'active')
    assert float(values(array.status[1])['image_rate_hz']) > 1


def test_a_camera_that_stops_and_returns(segmentation, diagnostics, camera):
    segmentation(diagnostics__image_timeout_s=0.6)
    camera.turn(on=True)
    diagnostics.wait_for('segmentation: input', OK, 'images arrive')
    camera.turn(on=False)
    diagnostics.wait_for('segmentation: input', WARN, 'no image for')
    diagnostics.wait_for('segmentation: input', ERROR, '/image_raw, which has 1 publisher')
    assert diagnostics.wait_for('segmentation: output').level == ERROR
    camera.turn(on=True)
    diagnostics.array()  # this one may have been on its way
    after = {status.name: status for status in diagnostics.array().status}
    assert after['segmentation: input'].level == OK
    assert after['segmentation: output'].level == OK
    assert after['/segmentation/mask'].level == OK


@pytest.mark.usefixtures('often')
def test_a_node_without_a_camera_is_not_green(segmentation, diagnostics):
    segmentation(diagnostics__image_timeout_s=0.1)
    status = diagnostics.wait_for('segmentation: input', ERROR, 'which has no publishers')
    assert values(status)['image_rate_hz'] == 'unavailable'


@pytest.mark.usefixtures('often')
def test_a_runtime_that_fails_and_recovers(segmentation, diagnostics, camera, monkeypatch):
    def fail(self, batch, confidence):
        raise InferenceError('out of memory')

    segmentation()
    camera.turn(on=True)
    diagnostics.wait_for('segmentation: output', OK, 'masks are published')
    with monkeypatch.context() as patch:
        patch.setattr(OnnxRuntime, '_infer', fail)
        diagnostics.wait_for('segmentation: output', ERROR, 'out of memory')
        diagnostics.array()
        diagnostics.wait_for('segmentation: output', ERROR, 'out of memory')
    diagnostics.wait_for('segmentation: output', OK, 'masks are published')


@pytest.mark.usefixtures('often')
def test_images_that_cannot_be_used(segmentation, diagnostics, camera):
    segmentation()
    camera.message = Image(encoding='bgr8')
    camera.turn(on=True)
    diagnostics.wait_for('segmentation: input', ERROR, 'found 0x0')


@pytest.mark.usefixtures('often')
def test_a_model_that_is_not_there(segmentation, diagnostics, tmp_path):
    segmentation(model=str(tmp_path / 'none.onnx'))
    status = diagnostics.wait_for('segmentation: model', ERROR, 'none.onnx')
    assert values(status)['state'] == 'unconfigured'


@pytest.mark.usefixtures('often')
def test_diagnostics_go_out_before_simulated_time_begins(segmentation, diagnostics):
    segmentation(use_sim_time=True)
    assert diagnostics.array().header.stamp.sec > 0
    diagnostics.wait_for('segmentation: model', OK, 'running')


@pytest.mark.usefixtures('often')
def test_diagnostics_go_out_while_it_configures(ros, segmentation, diagnostics, monkeypatch):
    free = threading.Event()
    monkeypatch.setattr(
        'espnet_ros.nodes.segmentation.session.open_runtime',
        lambda *_, **__: free.wait() and 1 / 0,
    )
    segmentation()
    try:
        for _ in range(2):
            diagnostics.wait_for('segmentation: model', WARN, 'configuring')
            diagnostics.array()
    finally:
        free.set()
    diagnostics.wait_for('segmentation: model', ERROR, 'ZeroDivisionError')


@pytest.mark.usefixtures('often')
def test_several_cameras_and_a_namespace_show_in_the_names(segmentation, diagnostics):
    segmentation(['-r', '__ns:=/robot'], cameras=['front', 'rear'])
    names = [status.name for status in diagnostics.array().status]
    assert names[:2] == ['robot segmentation: model', 'robot segmentation: input front']
    assert '/robot/segmentation/rear/mask' in names
