"""Transforms are waited for, without holding up anything that need not wait."""

import math

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no rclpy')
pytest.importorskip('nav_msgs', reason='no nav_msgs')

from live_settings import set_parameter
from nav_msgs.msg import OccupancyGrid
from rclpy.parameter import Parameter
from status_reader import ERROR, OK, values
from std_msgs.msg import Header

from .scene import add_seconds, Camera, CAMVID, cells, FRAME, OPTICAL, ROAD_AHEAD, status_of
from .tree import CAMERA, mount, place, ROBOT


def of(header):
    """Return what tells the message made of an image."""
    return lambda message: message.header.stamp == header.stamp


def stamps_of(inbox):
    return [(m.header.stamp.sec, m.header.stamp.nanosec) for m in list(inbox.messages)]


def test_tf_is_required_by_name_only_where_it_is_installed(ros, free_space, monkeypatch):
    monkeypatch.setattr('espnet_ros.nodes.free_space.poses.find_spec', lambda _: None)
    free_space(pose_source='tf')
    status = status_of(ros, 'state', lambda s: 'tf2_ros' in s.message)
    assert status.level == ERROR


def test_poses_and_odometry_come_from_tf(ros, free_space, tree, maps):
    tree.static[CAMERA] = mount()
    tree.static[ROBOT] = (100.0, 20.0, 0.0), (0.0, 0.0, math.sin(0.4), math.cos(0.4))
    free_space(pose_source='auto')
    camera = Camera(ros)
    assert (cells(camera.send_until(maps))[ROAD_AHEAD] == 0).all()
    status = status_of(ros, 'state', lambda s: s.message == 'running', camera.send)
    found = values(status)
    assert (found['pose_source'], found['fusion']) == ('tf', 'on')


def test_a_camera_that_tf_does_not_know_stops_the_output_and_is_told(ros, free_space, tree, maps):
    free_space(pose_source='tf', max_age_ms=200.0)
    camera = Camera(ros)
    status = status_of(ros, 'ground', lambda s: 'expected a transform' in s.message, camera.send)
    assert status.level == ERROR
    assert OPTICAL in status.message and 'base_link' in status.message
    assert 'waited' in status.message
    assert not maps.messages
    tree.static[CAMERA] = mount()
    camera.send_until(maps)


@pytest.mark.parametrize(
    ('transform', 'words'),
    [
        (mount(height_m=-1.4), 'expected the camera above the ground'),
        (((math.nan, 0.0, 1.4), mount()[1]), 'expected a translation'),
        ((mount()[0], (math.nan,) * 4), 'expected a quaternion of length 1'),
        ((mount()[0], (0.0,) * 4), 'expected a quaternion of length 1'),
        (((0.0, 0.0, 1e300), mount()[1]), 'expected a translation'),
    ],
)
def test_a_transform_that_makes_no_sense_is_told(ros, free_space, tree, transform, words):
    maps = ros.listen(OccupancyGrid, 'free_space/costmap')
    tree.static[CAMERA] = transform
    free_space(pose_source='tf')
    camera = Camera(ros)
    status = status_of(ros, 'ground', lambda s: words in s.message, camera.send)
    assert status.level == ERROR
    assert not maps.messages
    tree.static[CAMERA] = mount()
    camera.send_until(maps)


def test_odometry_that_makes_no_sense_gives_no_map_and_ends_nothing(
    ros, free_space, tree, maps, scans
):
    tree.static[CAMERA] = mount()
    tree.static[ROBOT] = (math.nan, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)
    free_space(pose_source='tf')
    camera = Camera(ros)
    camera.send_until(scans)
    status = status_of(
        ros, '/free_space/costmap', lambda s: 'expected a translation' in s.message, camera.send
    )
    assert status.level == ERROR
    assert not maps.messages
    tree.static[ROBOT] = place(1.0)
    camera.send_until(maps)


def test_ranges_that_end_at_the_pavement_leave_its_cost_in_the_map(ros, free_space, tree, maps):
    tree.static[CAMERA], tree.static[ROBOT] = mount(), place(1.0)
    free_space(pose_source='tf', scan__blocking_cost=40)
    labels = FRAME.labels.copy()
    labels[220:, 100:200] = CAMVID.id_of('pavement')
    cost = cells(Camera(ros).send_until(maps, labels=labels))
    assert {0, 40, 100} <= set(np.unique(cost).tolist())


def test_a_ground_that_contradicts_base_footprint_stops_the_output(ros, free_space, tree, scans):
    """base_link is often at the height of the axles, and then the ground is below it."""
    tree.static[CAMERA] = mount()
    tree.static['base_link', 'base_footprint'] = (0.0, 0.0, -0.3), (0.0, 0.0, 0.0, 1.0)
    free_space(pose_source='tf')
    camera = Camera(ros)
    status = status_of(ros, 'ground', lambda s: 'base_footprint' in s.message, camera.send)
    assert status.level == ERROR
    assert 'ground_z_m: expected -0.3 m' in status.message
    assert not scans.messages
    assert set_parameter(ros, 'ground_z_m', -0.3, 'free_space').successful
    camera.send_until(scans)


@pytest.fixture(params=[((-0.5, 0.5, -0.5, 0.5), 90), ((0.7071068, 0.7071068, 0.0, 0.0), 180)])
def lean_deg(request, tree):
    """Odometry of a camera without a frame of x ahead, y left, z up; or of z down."""
    turn, angle_deg = request.param
    tree.static[CAMERA], tree.static[ROBOT] = mount(), ((0.0, 0.0, 0.0), turn)
    return angle_deg


def test_a_base_frame_that_lies_on_its_side_gives_no_map(ros, free_space, lean_deg, maps, scans):
    free_space(pose_source='tf')
    camera = Camera(ros)
    camera.send_until(scans)
    status = status_of(ros, '/free_space/costmap', lambda s: 'point up' in s.message, camera.send)
    assert status.level == ERROR
    assert f'found it {lean_deg} degrees off' in status.message
    assert not maps.messages


def test_every_mask_waits_for_a_camera_transform_that_comes_later(ros, free_space, tree, scans):
    """A joint published at 5 Hz, a camera at 10 Hz: no mask finds its transform at once."""
    free_space(pose_source='tf')
    camera = Camera(ros)
    begin = camera.header().stamp
    ros.wait_until(lambda: tree.buffers, 'a listener')
    tree.send(*CAMERA, add_seconds(begin, -0.1), mount())
    sent = []
    for i in range(6):
        stamp = add_seconds(begin, 0.1 * i)
        sent.append((stamp.sec, stamp.nanosec))
        camera.send(header=Header(frame_id=OPTICAL, stamp=stamp))
        if i % 2:
            tree.send(*CAMERA, add_seconds(stamp, 0.02), mount())
    ros.wait_until(lambda: len(scans.messages) == 6, 'a scan of every mask')
    assert stamps_of(scans) == sent, 'in the order of their stamps'


def test_a_mask_that_waits_holds_no_other_camera_up(ros, free_space, tree, scans):
    tree.static['base_link', 'right_frame'] = mount()
    free_space(pose_source='tf', cameras=['left', 'right'], mount__height_m=[1.4, 1.4],
               mount__pitch_rad=[0.0, 0.0])  # fmt: skip
    left, right = Camera(ros, 'left'), Camera(ros, 'right')
    waiting = left.send(header=left.header(frame_id='left_frame'))
    for _ in range(5):
        header = right.send(header=right.header(frame_id='right_frame'))
        scans.wait_for(of(header))
    tree.static['base_link', 'left_frame'] = mount()
    scans.wait_for(of(waiting))


def test_a_mask_that_a_newer_one_overtook_is_dropped_and_counted(ros, free_space, tree, scans):
    free_space(pose_source='tf')
    camera = Camera(ros)
    tree.static['base_link', 'other_frame'] = mount()
    first = camera.send(header=camera.header(frame_id='lost_frame'))
    second = camera.send(header=camera.header(frame_id='other_frame'))
    scans.wait_for(of(second))
    tree.static['base_link', 'lost_frame'] = mount()
    third = camera.send(header=camera.header(frame_id='other_frame'))
    scans.wait_for(of(third))
    late = camera.send(header=first)
    fourth = camera.send(header=camera.header(frame_id='other_frame'))
    scans.wait_for(of(fourth))
    assert not [m for m in scans.messages if m.header.stamp in (first.stamp, late.stamp)]
    status = status_of(ros, 'ground', lambda s: int(values(s)['dropped_late']) == 1)
    assert values(status)['dropped_pose'] == '1'


def test_time_that_goes_back_begins_anew(ros, free_space, tree, scans):
    """As a recording that loops, or a simulation that is reset."""
    tree.static[CAMERA] = mount()
    free_space(pose_source='tf', max_age_ms=0.0)
    camera = Camera(ros)
    now = camera.header().stamp

    def send(seconds):
        return camera.send(header=Header(frame_id=OPTICAL, stamp=add_seconds(now, seconds)))

    camera.send_until(scans, header=Header(frame_id=OPTICAL, stamp=now))
    scans.wait_for(of(send(5.0)))
    scans.wait_for(of(send(1.0)))
    assert tree.cleared == 1
    scans.wait_for(of(send(1.5)))
    # A short recording: not far, but again and again.
    headers = [send(1.0 + 0.1 * i) for i in range(4)]
    scans.wait_for(of(headers[-1]))
    assert tree.cleared == 2


def test_masks_that_are_late_are_no_sign_that_time_went_back(ros, free_space, tree, scans):
    tree.static[CAMERA] = mount()
    free_space(pose_source='tf', max_age_ms=2000.0)
    camera = Camera(ros)
    newest = camera.send_until(scans).header
    late = [camera.send(header=camera.header(age_s=4.0 - 0.1 * i)) for i in range(4)]
    status_of(ros, 'ground', lambda s: int(values(s)['dropped_late']) >= 4)
    assert tree.cleared == 0
    header = camera.send()
    scans.wait_for(of(header))
    assert not [m for m in scans.messages if m.header.stamp in [h.stamp for h in late]]
    assert newest.stamp in camera.sent


def test_ranges_do_not_wait_for_odometry_and_every_map_does(ros, free_space, tree, maps, scans):
    """Odometry of 20 Hz behind a camera of 10 Hz: every map has a memory."""
    tree.static[CAMERA] = mount()
    free_space(pose_source='tf')
    camera = Camera(ros)
    begin = camera.header().stamp
    ros.wait_until(lambda: tree.buffers, 'a listener')
    tree.send(*ROBOT, add_seconds(begin, -0.05), place(-0.05))
    unlabelled = np.full_like(FRAME.labels, 255)
    headers = []
    for i in range(8):
        header = Header(frame_id=OPTICAL, stamp=add_seconds(begin, 0.1 * i))
        headers.append(header)
        # Of the masks after the first, only memory tells anything.
        camera.send(FRAME.labels if i == 0 else unlabelled, header)
        scans.wait_for(of(header))
        assert not [m for m in maps.messages if m.header.stamp == header.stamp]
        tree.send(*ROBOT, add_seconds(header.stamp, 0.05), place(0.1 * i + 0.05))
        message = maps.wait_for(of(header))
        assert (cells(message)[ROAD_AHEAD] == 0).all(), f'map {i} remembers the road'
    status = status_of(ros, 'state', lambda s: values(s)['fusion'] == 'on')
    assert status.level == OK


def test_several_maps_that_wait_are_fused_in_the_order_of_their_stamps(
    ros, free_space, tree, maps, scans
):
    tree.static[CAMERA] = mount()
    free_space(pose_source='tf')
    camera = Camera(ros)
    ros.wait_until(lambda: tree.buffers, 'a listener')
    begin = camera.header().stamp
    tree.send(*ROBOT, add_seconds(begin, -0.1), place(0.0))
    headers = [Header(frame_id=OPTICAL, stamp=add_seconds(begin, 0.1 * i)) for i in range(5)]
    for header in headers:
        camera.send(header=header)
        scans.wait_for(of(header))
    assert not maps.messages
    tree.send(*ROBOT, add_seconds(begin, 1.0), place(1.0))
    ros.wait_until(lambda: len(maps.messages) == 5, 'a map of every mask')
    assert stamps_of(maps) == [(h.stamp.sec, h.stamp.nanosec) for h in headers]


def test_without_odometry_the_map_is_of_what_is_seen_now_and_says_so(ros, free_space, tree, maps):
    tree.static[CAMERA] = mount()
    free_space(pose_source='tf')
    camera = Camera(ros)
    camera.send_until(maps)
    status = status_of(ros, 'state', lambda s: values(s)['fusion'] == 'no odometry', camera.send)
    assert status.level == OK


def test_odometry_that_stops_stops_the_map_and_not_the_ranges(ros, free_space, tree, maps, scans):
    tree.static[CAMERA] = mount()
    tree.static[ROBOT] = place(0.0)
    node = free_space(pose_source='tf', max_age_ms=1000.0)
    camera = Camera(ros)
    camera.send_until(maps)
    del tree.static[ROBOT]
    tree.send(*ROBOT, add_seconds(camera.header().stamp, -5.0), place(0.0))
    count = len(camera.sent)
    status = status_of(
        ros, '/free_space/costmap', lambda s: "'base_link' to 'odom'" in s.message, camera.send
    )
    assert status.level == ERROR
    later = camera.sent[count:]
    assert any(m.header.stamp in later for m in scans.messages)
    status_of(ros, 'ground', lambda s: s.level == OK, camera.send)
    assert not any(m.header.stamp in later for m in maps.messages), 'a map without memory'
    maps.clear()
    tree.static[ROBOT] = place(0.0)
    camera.send_until(maps)
    status_of(ros, '/free_space/costmap', lambda s: s.level == OK, camera.send)
    # Only a new activation gives the memory up.
    del tree.static[ROBOT]
    node.trigger_deactivate()
    node.trigger_activate()
    maps.clear()
    camera.send_until(maps)
    status_of(ros, 'state', lambda s: values(s)['fusion'] == 'no odometry', camera.send)


def test_a_setting_ends_the_memory_only_where_it_changes_what_is_seen(ros, free_space, tree, maps):
    tree.static[CAMERA], tree.static[ROBOT] = mount(), place(0.0)
    node = free_space(pose_source='tf', fusion__decay_s=1000.0)
    camera = Camera(ros)
    camera.send_until(maps)

    def remembers(name, value):
        (result,) = node.set_parameters([Parameter(name, value=value)])
        assert result.successful
        header = camera.send(np.full_like(FRAME.labels, 255))
        return (cells(maps.wait_for(of(header)))[ROAD_AHEAD] == 0).all()

    assert remembers('diagnostics.min_rate_hz', 0.5)
    assert remembers('drivable_cost', 30)
    # Humble's rclpy applies a change a moment after it has answered.
    ros.wait_until(lambda: not remembers('costs', ['pavement=20']), 'the end of the memory')


def test_the_tree_is_listened_to_while_the_node_is_active(ros, free_space, tree):
    node = free_space(pose_source='tf', autostart=False)
    node.trigger_configure()
    node.trigger_activate()
    assert tree.listeners == 1
    for _ in range(3):
        node.trigger_deactivate()
        assert tree.listeners == 0
        node.trigger_activate()
        assert tree.listeners == 1
    node.close()
    node.close()
    assert tree.listeners == 0
