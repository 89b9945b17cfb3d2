"""Geometry belongs to an image: without that of this image there are no metres."""

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no rclpy')
pytest.importorskip('nav_msgs', reason='no nav_msgs')

from nav_msgs.msg import OccupancyGrid
from sensor_msgs.msg import Image, LaserScan
from status_reader import ERROR, values

from .scene import add_seconds, Camera, cells, FRAME, ROAD_AHEAD, status_of, STREET

TROUBLES = {
    'uncalibrated': ({}, {'k': [0.0] * 9}, 'the camera is not calibrated'),
    'of another size': ({}, {'height': 270, 'width': 270}, 'expected the proportions of the mask'),
    'fisheye with 5': ({}, {'distortion_model': 'equidistant'}, "found 'equidistant' with 5"),
    'height not set': ({'mount.height_m': [0.0]}, {}, 'expected mount.height_m above 0 m'),
    'at the sky': ({'mount.pitch_rad': [-0.9]}, {}, 'it points at the sky'),
}


@pytest.mark.parametrize('trouble', TROUBLES)
def test_geometry_that_cannot_be_used_stops_the_output_and_is_told(ros, free_space, trouble):
    parameters, changes, words = TROUBLES[trouble]
    free_space(**parameters)
    inbox = ros.listen(OccupancyGrid, 'free_space/costmap')
    camera = Camera(ros)
    status = status_of(ros, 'ground', lambda s: words in s.message, lambda: camera.send(**changes))
    assert status.level == ERROR
    assert not inbox.messages


def test_a_calibration_of_another_frame_is_refused(ros, free_space):
    free_space()
    inbox = ros.listen(LaserScan, 'free_space/scan')
    camera = Camera(ros)

    def send():
        header = camera.header()
        info = camera.info(camera.header(frame_id='rear_optical_frame'))
        info.header.stamp = header.stamp
        camera.infos.publish(info)
        camera.send_mask(header=header)

    status = status_of(ros, 'ground', lambda s: "found 'rear_optical_frame'" in s.message, send)
    assert status.level == ERROR
    assert 'it is of another camera' in status.message
    assert not inbox.messages


def test_a_mask_without_a_calibration_says_so(ros, free_space):
    free_space(max_age_ms=200.0)
    inbox = ros.listen(LaserScan, 'free_space/scan')
    camera = Camera(ros)
    status = status_of(
        ros, 'ground', lambda s: 'metres need the calibration' in s.message, camera.send_mask
    )
    assert status.level == ERROR
    assert 'on /camera_info, found none at all' in status.message
    assert int(values(status)['dropped_calibration']) > 0
    assert not inbox.messages


def test_a_calibration_that_stopped_is_never_used_again(ros, free_space):
    """A camera restarts with another size, and its camera_info does not come back."""
    free_space(max_age_ms=200.0)
    inbox = ros.listen(LaserScan, 'free_space/scan')
    camera = Camera(ros)
    camera.send_until(inbox)
    inbox.clear()
    sent = []
    status = status_of(
        ros,
        'ground',
        lambda s: len(sent) >= 15 and 'of 480x270 pixels, the mask has 240x134' in s.message,
        lambda: sent.append(camera.send_mask(labels=FRAME.labels[:268:2, ::2]).stamp),
    )
    assert status.level == ERROR
    assert not [m for m in inbox.messages if m.header.stamp in sent], '0 scans of 15'


def test_a_calibration_of_the_image_before_is_not_used(ros, free_space):
    free_space(max_age_ms=200.0)
    inbox = ros.listen(LaserScan, 'free_space/scan')
    camera = Camera(ros)

    def send():
        header = camera.send_mask()
        info = camera.info(camera.header())
        info.header.stamp = add_seconds(header.stamp, -0.033)
        camera.infos.publish(info)

    status = status_of(ros, 'ground', lambda s: 'found the last one at' in s.message, send)
    assert status.level == ERROR
    assert not inbox.messages


def test_a_calibration_that_follows_its_mask_is_waited_for(ros, free_space):
    free_space()
    inbox = ros.listen(LaserScan, 'free_space/scan')
    camera = Camera(ros)
    camera.send_until(inbox)
    inbox.clear()
    header = camera.send_mask()
    other = camera.send_mask()
    camera.infos.publish(camera.info(header))
    inbox.wait_for(lambda m: m.header.stamp == header.stamp)
    camera.infos.publish(camera.info(other))
    inbox.wait_for(lambda m: m.header.stamp == other.stamp)


def test_each_image_of_a_zoom_has_its_own_calibration(ros, free_space):
    """Both calibrations come first, then both masks: the newest one is not that of the first."""
    free_space()
    inbox = ros.listen(LaserScan, 'free_space/scan')
    camera, model = Camera(ros), STREET.camera
    camera.send_until(inbox)
    zoomed = [2 * model.fx, 0.0, model.cx, 0.0, 2 * model.fy, model.cy, 0.0, 0.0, 1.0]

    def field_of_view(header):
        scan = inbox.wait_for(lambda m: m.header.stamp == header.stamp)
        return np.count_nonzero(~np.isnan(np.array(scan.ranges)))

    wide = field_of_view(camera.send())
    narrow = field_of_view(camera.send(k=zoomed))
    assert narrow < 0.7 * wide
    first, second = camera.header(), camera.header()
    camera.infos.publish(camera.info(first))
    camera.infos.publish(camera.info(second, k=zoomed))
    camera.send_mask(header=first)
    camera.send_mask(header=second)
    assert (field_of_view(first), field_of_view(second)) == (wide, narrow)


def test_a_mask_of_another_producer_may_be_a_smaller_image_of_the_same_proportions(
    ros, free_space
):
    free_space(fusion__enabled=False)
    inbox = ros.listen(OccupancyGrid, 'free_space/costmap')
    camera = Camera(ros)
    message = camera.send_until(inbox, labels=FRAME.labels[::2, ::2])
    assert (cells(message)[ROAD_AHEAD] == 0).all()


def test_a_mask_that_is_no_mask_is_told(ros, free_space):
    from espnet_ros.nodes.ros.messages.images import array_to_image

    free_space()
    camera = Camera(ros)

    def send():
        image = np.zeros((*FRAME.labels.shape, 3), np.uint8)
        camera.masks.publish(array_to_image(image, 'rgb8', camera.header()))

    status = status_of(ros, 'ground', lambda s: "found 'rgb8'" in s.message, send)
    assert status.level == ERROR


def test_a_confidence_that_never_comes_is_told(ros, free_space):
    free_space(max_age_ms=200.0, use_confidence=True)
    inbox = ros.listen(LaserScan, 'free_space/scan')
    camera = Camera(ros)
    ros.publisher(Image, 'confidence')
    status = status_of(ros, 'ground', lambda s: 'no confidence on' in s.message, camera.send)
    assert status.level == ERROR
    assert int(values(status)['dropped_confidence']) > 0
    assert not inbox.messages
