"""Which camera_info is an image's own, and what is said where none is."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
import threading

import pytest

pytest.importorskip('sensor_msgs', reason='no ROS messages')

from cameras import header_at, info_at, MS, S, SIZE
from espnet_ros.exceptions import InputError
from espnet_ros.monitoring.camera_record import Failure
from espnet_ros.monitoring.geometry_health import diagnose_geometry, GeometrySnapshot
from espnet_ros.monitoring.health import Level, NodeHealth
from espnet_ros.nodes.segmentation.camera.geometry import CameraGeometry, InfoBuffer, STEADY_COUNT
from time_limits import message_limit_s

pytestmark = pytest.mark.ros

TOPIC = '/front/camera_info'
WORKING = NodeHealth('active')


class Camera:
    """The geometry of a camera whose clock is that of the stamps."""

    def __init__(self):
        self.geometry = CameraGeometry(TOPIC)

    def hear(self, *stamps_ns, **fields):
        for stamp_ns in stamps_ns:
            self.geometry.take(info_at(stamp_ns, stamp_ns / S, **fields), stamp_ns / S)

    def find(self, stamp_ns, max_lag_ms=1000.0, size=SIZE, now_s=None, **fields):
        now_s = stamp_ns / S if now_s is None else now_s
        return self.geometry.find(header_at(stamp_ns, **fields), size, max_lag_ms, now_s)

    def refusal(self, stamp_ns, **fields):
        with pytest.raises(InputError) as refused:
            self.find(stamp_ns, **fields)
        status = self.status(stamp_ns)
        assert (status.level, status.message) == (Level.ERROR, str(refused.value))
        assert TOPIC in status.message
        return status.message

    def status(self, now_ns):
        return diagnose_geometry(WORKING, self.geometry.snapshot(now_ns / S))


@pytest.fixture
def camera():
    return Camera()


def test_without_camera_info_masks_have_no_geometry_and_that_is_fine(camera):
    assert camera.find(5 * S) is None
    status = camera.status(5 * S)
    assert status.level is Level.OK
    assert status.message == f'no camera_info on {TOPIC}: masks have no geometry'
    assert status.values['masks_without_geometry'] == '1'


def test_the_one_of_the_image_is_found_among_older_and_newer_ones(camera):
    camera.hear(4 * S, 5 * S, 6 * S)
    assert camera.find(5 * S).k[0] == 5
    status = camera.status(5 * S)
    assert status.message == f'camera_info of each image, from {TOPIC}'
    assert (status.level, status.values['camera_info_lag_ms']) == (Level.OK, '0.00')


def test_else_it_is_the_last_one_before_the_image_and_that_is_said(camera):
    camera.hear(4 * S, 5 * S - 7 * MS, 5 * S + MS)
    assert camera.find(5 * S).k[0] == pytest.approx(4.993)
    status = camera.status(5 * S)
    assert status.level is Level.OK
    assert f'camera_info on {TOPIC} is stamped up to 7.0 ms before its image' in status.message
    assert status.values['camera_info_lag_ms'] == '7.00'


def test_a_lag_is_said_for_as_long_as_it_is_there(camera):
    camera.hear(1 * S, 2 * S, 5 * S)
    camera.find(1 * S + 7 * MS)
    camera.find(2 * S)
    assert camera.status(2 * S).values['camera_info_lag_ms'] == '7.00'
    camera.find(5 * S)
    assert camera.status(5 * S).values['camera_info_lag_ms'] == '0.00'


@pytest.mark.parametrize(
    ('max_lag_ms', 'lag_ns', 'fits'),
    [
        (1000.0, 1000 * MS, True),
        (1000.0, 1000 * MS + 1, False),
        (10.0, 11 * MS, False),
        (0.0, 0, True),
        (0.0, 1, False),
    ],
)
def test_how_far_it_may_lag_is_a_setting(camera, max_lag_ms, lag_ns, fits):
    camera.hear(5 * S)
    if fits:
        assert camera.find(5 * S + lag_ns, max_lag_ms).k[0] == 5
    else:
        camera.refusal(5 * S + lag_ns, max_lag_ms=max_lag_ms)


def test_camera_info_that_stopped_is_an_error_that_says_how_old_it_is(camera):
    camera.hear(4 * S, 5 * S)
    assert camera.find(5 * S).k[0] == 5
    words = camera.refusal(9 * S)
    assert words == (
        f'camera_info stopped: the last one on {TOPIC} is 4.000 s older than the image'
    )
    assert camera.status(9 * S).values['masks_without_geometry'] == '1'


def test_camera_info_by_another_clock_did_not_stop(camera):
    for step in range(10):
        camera.geometry.take(info_at(100 * S + step * MS), now_s=5.0)
    assert 'found 94.991 s before' not in camera.refusal(195 * S, now_s=99.0), 'it did'
    words = camera.refusal(195 * S, now_s=5.1)
    assert 'found 94.991 s before' in words
    assert 'camera_info_max_lag_ms' in words
    assert 'found 95.000 s after it' in camera.refusal(5 * S, now_s=5.1)


def test_an_image_without_a_stamp_takes_only_camera_info_without_one(camera):
    camera.hear(5 * S)
    assert 'the image has no stamp (0)' in camera.refusal(0)
    camera.geometry.take(info_at(0, 77.0), 6.0)
    assert camera.find(0).k[0] == 77


def test_another_frame_or_size_is_refused_by_name(camera):
    camera.hear(5 * S, frame_id='rear')
    assert "the frame of the image, 'front', found 'rear'" in camera.refusal(
        5 * S, frame_id='front'
    )
    words = camera.refusal(5 * S, frame_id='rear', size=(8, 20))
    assert 'the size of the image, 20x8, found 32x16' in words


def test_a_mistake_that_is_over_warns_for_a_second(camera):
    camera.hear(5 * S, 6 * S)
    camera.refusal(5 * S, frame_id='rear')
    camera.find(5 * S + 100 * MS)
    assert camera.status(5 * S + 200 * MS).level is Level.WARN
    camera.find(6 * S + 200 * MS)
    assert camera.status(6 * S + 200 * MS).level is Level.OK


def test_a_run_that_starts_again_does_not_meet_the_camera_info_of_the_one_before(camera):
    camera.hear(*range(1 * S, 9 * S, S))
    camera.geometry.expect(8 * S)
    assert camera.find(8 * S).k[0] == 8
    camera.geometry.expect(2 * S)  # images start again, camera_info does not
    assert camera.find(2 * S).k[0] == 2
    camera.geometry.expect(8 * S)
    assert 'camera_info stopped' in camera.refusal(8 * S)


def test_camera_info_that_starts_again_drops_that_of_the_run_before(camera):
    camera.hear(*range(1 * S, 9 * S, S))
    camera.hear(3 * S)
    assert 'camera_info stopped' in camera.refusal(8 * S, now_s=99.0)


def test_nothing_from_before_an_activation_is_used(camera):
    camera.hear(5 * S)
    camera.geometry.clear()
    assert f'camera_info stopped: none on {TOPIC}' in camera.refusal(5 * S)


@pytest.fixture
def waiting(monkeypatch):
    """Have a very patient geometry, and return what is set while it waits."""
    looked, reaches = threading.Event(), InfoBuffer.reaches

    def look(self, stamp_ns):
        looked.set()
        return reaches(self, stamp_ns)

    monkeypatch.setattr(InfoBuffer, 'reaches', look)
    monkeypatch.setattr('espnet_ros.nodes.segmentation.camera.geometry.WAIT_S', 60.0)
    return looked


def test_camera_info_that_is_always_there_is_waited_for(camera, waiting):
    for step in range(STEADY_COUNT):
        camera.hear(step * MS)
        camera.find(step * MS)
    assert not waiting.is_set()
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(camera.find, 5 * S)
        assert waiting.wait(message_limit_s())
        assert not found.done()
        camera.hear(5 * S)
        assert found.result(message_limit_s()).k[0] == 5


def test_camera_info_that_is_not_always_there_is_not_waited_for(camera, waiting, monkeypatch):
    monkeypatch.setattr('espnet_ros.nodes.segmentation.camera.geometry.WAIT_S', 0.0)
    for step in range(STEADY_COUNT):
        camera.hear(step * MS)
        camera.find(step * MS)
    assert camera.find(5 * MS + STEADY_COUNT * MS) is not None  # waited for in vain
    waiting.clear()
    for step in range(STEADY_COUNT - 1):
        camera.hear(S + step * MS)
        camera.find(S + step * MS)
    camera.find(2 * S)
    assert not waiting.is_set()


def test_an_uncalibrated_camera_info_is_passed_on_and_said(camera):
    camera.hear(0)
    assert camera.find(0).k[0] == 0
    status = camera.status(0)
    assert (status.level, status.values['calibrated']) == (Level.OK, 'false')
    assert status.message.endswith('; not calibrated (K is 0)')


def test_a_node_that_does_not_work_judges_no_geometry():
    broken = GeometrySnapshot(TOPIC, True, failure=Failure('geometry', 'a reason', True))
    assert diagnose_geometry(WORKING, broken).message == 'a reason'
    assert diagnose_geometry(NodeHealth('inactive'), broken).message == 'inactive'
    assert diagnose_geometry(replace(WORKING, is_enabled=False), broken).level is Level.OK
