"""Every status tells the truth about its output: its own age, its own rate, and the cause."""

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no rclpy')
pytest.importorskip('nav_msgs', reason='no nav_msgs')

from espnet_ros.nodes.ros.qos import latched_qos
from nav_msgs.msg import OccupancyGrid
from sensor_msgs.msg import PointCloud2
from status_reader import ERROR, OK, values, WARN
from std_msgs.msg import Header

from .scene import add_seconds, Camera, OPTICAL, Pace, status_of

COSTMAP, SCAN, POINTS = (f'/free_space/{name}' for name in ('costmap', 'scan', 'points'))


@pytest.mark.parametrize('name', ['ground', COSTMAP, SCAN, POINTS])
def test_a_camera_that_stopped_is_an_error_of_every_output(ros, free_space, maps, scans, name):
    free_space(diagnostics__image_timeout_s=0.3)
    points = ros.listen(PointCloud2, 'free_space/points')
    camera = Camera(ros)
    for inbox in (maps, scans, points):
        camera.send_until(inbox)
    assert status_of(ros, name, lambda s: s.level == OK, camera.send)
    status = status_of(ros, name, lambda s: s.level == ERROR)
    assert status.message.startswith('no mask became metres for' if name == 'ground' else 'no m')


def test_a_camera_that_is_slower_than_expected_is_told_of_every_output(ros, free_space, maps):
    free_space(diagnostics__min_rate_hz=1000.0)
    camera = Camera(ros)
    camera.send_until(maps)
    for name in ('ground', COSTMAP):
        status = status_of(ros, name, lambda s: 'per second' in s.message, camera.send)
        assert status.level == ERROR
        assert 'expected 1000' in status.message


def test_a_rate_that_is_not_required_is_not_judged(ros, free_space, maps):
    free_space(diagnostics__min_rate_hz=0.0)
    camera = Camera(ros)
    camera.send_until(maps)
    status = status_of(ros, COSTMAP, lambda s: values(s)['frame_rate_node'] != 'unavailable',
                       camera.send)  # fmt: skip
    assert status.level == OK


def test_an_output_that_nobody_reads_says_so(ros, free_space, scans):
    free_space()
    camera = Camera(ros)
    camera.send_until(scans)
    status = status_of(ros, COSTMAP, lambda s: s.message == 'no subscriber', camera.send)
    assert status.level == OK
    assert status_of(ros, SCAN, lambda s: s.message == 'messages are published', camera.send)


def test_a_map_that_is_no_longer_current_is_given_to_nobody(ros, free_space, maps):
    free_space(max_age_ms=400.0)
    camera = Camera(ros)
    camera.send_until(maps)
    camera.send_until(maps)
    kept = ros.listen(OccupancyGrid, 'free_space/costmap', latched_qos())
    last = kept.wait_for()
    first_gid = {tuple(i.endpoint_gid) for i in ros.probe.get_publishers_info_by_topic(COSTMAP)}

    def is_another_publisher():
        infos = ros.probe.get_publishers_info_by_topic(COSTMAP)
        return infos and not first_gid & {tuple(i.endpoint_gid) for i in infos}

    ros.wait_until(is_another_publisher, 'the end of the old map')
    late = ros.listen(OccupancyGrid, 'free_space/costmap', latched_qos())
    header = camera.header()

    def is_answered():
        header.stamp = camera.send().stamp
        return late.messages

    ros.wait_until(is_answered, 'a current map')
    assert late.messages[0].header.stamp in camera.sent
    assert late.messages[0].header.stamp != last.header.stamp
    assert camera.sent.index(late.messages[0].header.stamp) > camera.sent.index(last.header.stamp)


@pytest.mark.parametrize('stamps', ['advance', 'are never set'])
def test_the_last_look_of_a_camera_that_died_leaves_the_ranges(ros, free_space, scans, stamps):
    free_space(
        cameras=['left', 'right'], mount__yaw_rad=[0.6, -0.6], max_age_ms=0.0,
        diagnostics__image_timeout_s=0.2,
    )  # fmt: skip
    left, right = Camera(ros, 'left'), Camera(ros, 'right')

    def send(camera):
        camera.send(header=None if stamps == 'advance' else Header(frame_id=OPTICAL))

    def sides():
        ranges = np.array(scans.messages[-1].ranges)
        return (~np.isnan(ranges[:150])).any(), (~np.isnan(ranges[-150:])).any()

    def both_are_in():
        send(left)
        send(right)
        return scans.messages and sides() == (True, True)

    ros.wait_until(both_are_in, 'ranges on both sides')

    def left_alone():
        send(left)
        return sides() == (False, True)

    ros.wait_until(left_alone, 'the end of the right camera')


def test_a_look_that_is_older_than_the_newest_does_not_count_beside_it(ros, free_space, scans):
    """By their stamps, though both came at the same time."""
    free_space(cameras=['left', 'right'], mount__yaw_rad=[0.6, -0.6], max_age_ms=2000.0)
    left, right = Camera(ros, 'left'), Camera(ros, 'right')
    pace = Pace()

    def right_is_in():
        if pace.is_due():
            right.send(header=right.header(age_s=1.0))
        return scans.messages

    ros.wait_until(right_is_in, 'ranges on the right')
    header = left.send(header=left.header(age_s=-1.5))
    message = scans.wait_for(lambda m: m.header.stamp == header.stamp)
    ranges = np.array(message.ranges)
    assert np.isnan(ranges[:150]).all()
    assert (~np.isnan(ranges[-150:])).any()


STAMPS = {
    'zero': (lambda now, i: type(now)(), 'have no stamp (0)'),
    'ahead': (lambda now, i: add_seconds(now, 10.0 + i), 'ahead of the clock of this node'),
    'all the same': (lambda now, i: now, 'repeat the stamp of the one before'),
}


@pytest.mark.parametrize('max_age_ms', [0.0, 500.0])
@pytest.mark.parametrize('name', STAMPS)
def test_bad_stamps_are_named_by_their_cause(ros, free_space, name, max_age_ms):
    make, words = STAMPS[name]
    free_space(max_age_ms=max_age_ms)
    camera = Camera(ros)
    now, count = camera.header().stamp, iter(range(10**6))

    def send():
        stamp = make(now, 0.01 * next(count))
        camera.send(header=Header(frame_id=OPTICAL, stamp=stamp))

    status = status_of(ros, 'input', lambda s: words in s.message, send)
    assert status.level == WARN
    if max_age_ms:
        status = status_of(ros, 'ground', lambda s: words in s.message, send)
        assert status.level == ERROR
        assert 'too slow' not in status.message


def test_simulated_time_that_nobody_publishes_is_named(ros, free_space):
    free_space(max_age_ms=500.0, use_sim_time=True)
    camera = Camera(ros)
    status = status_of(ros, 'ground', lambda s: 'nothing came on /clock' in s.message, camera.send)
    assert status.level == ERROR


def test_an_old_mask_is_dropped_and_counted(ros, free_space, scans):
    free_space(max_age_ms=300.0)
    camera = Camera(ros)
    status = status_of(
        ros,
        'ground',
        lambda s: 'found 3' in s.message and 'max_age_ms' in s.message,
        lambda: camera.send(header=camera.header(age_s=3.0)),
    )
    assert status.level == ERROR
    assert 'the segmentation is too slow' in status.message
    assert int(values(status)['dropped_age']) > 0
    assert not scans.messages
