"""Stamps that tell no time are said to, with the cause: through real topics."""

import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from cameras import image_at, info_at, S
from espnet_ros.nodes.ros.messages.stamps import seconds_since, stamp_ns
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from status_reader import OK, StatusReader, values, WARN

INPUT, LATENCY = 'segmentation: input', 'segmentation: latency'


class Driver:
    """A camera at 30 Hz whose stamps are made of the time now, in nanoseconds."""

    def __init__(self, ros):
        self.stamp_of = lambda now_ns: now_ns
        self._ros = ros
        self._images = ros.probe.create_publisher(Image, 'image_raw', 10)
        self._timer = ros.probe.create_timer(1 / 30, self._publish)

    def _publish(self):
        now_ns = self._ros.probe.get_clock().now().nanoseconds
        self._images.publish(image_at(self.stamp_of(now_ns)))


@pytest.fixture
def driver(ros):
    return Driver(ros)


@pytest.fixture
def statuses(ros, monkeypatch):
    monkeypatch.setattr('espnet_ros.nodes.ros.diagnostics.PERIOD_S', 0.1)
    return StatusReader(ros)


FAULTS = {
    'zero': (lambda _: 0, 'images on /image_raw have no stamp (0)'),
    'repeated': (lambda _: 7 * S, 'images on /image_raw repeat the stamp'),
    'ahead': (lambda now_ns: now_ns + 10 * S, 'images on /image_raw are stamped 9.'),
    'back': (lambda now_ns: 2 * 10**18 - now_ns, 'stamps on /image_raw went back by'),
}


@pytest.mark.parametrize('fault', FAULTS)
def test_a_driver_whose_stamps_tell_no_time(segmentation, driver, statuses, fault):
    segmentation()
    statuses.wait_for(INPUT, OK, 'images arrive')
    driver.stamp_of, words = FAULTS[fault]
    status = statuses.wait_for(INPUT, WARN, words)
    assert int(values(status)[f'stamps_{fault}']) > 0
    driver.stamp_of = lambda now_ns: now_ns
    statuses.wait_for(INPUT, OK, 'images arrive')


@pytest.mark.parametrize('fault', ['zero', 'repeated', 'ahead'])
def test_an_age_that_cannot_be_known_is_not_judged(segmentation, driver, statuses, fault):
    driver.stamp_of = FAULTS[fault][0]
    segmentation()
    status = statuses.wait_for(LATENCY, OK, 'the age of the images is not known')
    for _ in range(5):
        status = statuses.wait_for(LATENCY)
        assert (status.level, values(status)['age_ms_p50']) == (OK, 'unavailable')


def test_stamps_a_little_ahead_are_in_order(segmentation, driver, statuses):
    driver.stamp_of = lambda now_ns: now_ns + S // 20
    segmentation()
    statuses.wait_for(INPUT, OK, 'images arrive')
    for _ in range(5):
        status = statuses.wait_for(INPUT)
        assert (status.level, values(status)['stamps_ahead']) == (OK, '0')


def test_simulated_time_without_a_clock_is_told_until_there_is_one(
    ros, segmentation, driver, statuses
):
    driver.stamp_of = lambda now_ns: now_ns // 10  # of a simulation
    segmentation(use_sim_time=True)
    statuses.wait_for(INPUT, WARN, 'use_sim_time is true, but nothing came on /clock')
    assert statuses.wait_for(LATENCY).level == OK
    clock = ros.probe.create_publisher(Clock, '/clock', 10)

    def tick():
        message = Clock()
        message.clock.sec = ros.probe.get_clock().now().nanoseconds // 10 // S + 1
        clock.publish(message)

    ros.probe.create_timer(0.1, tick)
    statuses.wait_for(INPUT, OK, 'images arrive')


def test_several_cameras_are_named_with_their_topics(ros, segmentation, statuses):
    segmentation(cameras=['front', 'rear'])
    images = ros.publisher(Image, 'rear/image_raw')
    ros.publisher(CameraInfo, 'rear/camera_info').publish(info_at(S, frame_id='elsewhere'))
    ros.probe.create_timer(0.1, lambda: images.publish(image_at(S)))
    statuses.wait_for(f'{INPUT} rear', WARN, '/rear/image_raw repeat the stamp')
    status = statuses.wait_for('segmentation: geometry rear', words="found 'elsewhere'")
    assert 'camera_info on /rear/camera_info: ' in status.message
    status = statuses.wait_for('segmentation: geometry front', OK, 'no camera_info on /front/cam')
    assert values(status)['topic'] == '/front/camera_info'


@pytest.mark.parametrize(
    ('time_ns', 'now_ns', 'expected'), [(0, S, None), (S, 0, None), (S, 3 * S, 2.0), (S, 1, -1.0)]
)
def test_an_age_needs_both_times(time_ns, now_ns, expected):
    assert seconds_since(time_ns, now_ns) == (
        None if expected is None else pytest.approx(expected)
    )


def test_a_stamp_is_its_seconds_and_nanoseconds():
    assert stamp_ns(image_at(7 * S + 5).header.stamp) == 7 * S + 5
