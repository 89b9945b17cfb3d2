"""Only what has the stamp of a mask belongs to it."""

import pytest

pytest.importorskip('rclpy', reason='no rclpy')
pytest.importorskip('sensor_msgs', reason='no sensor_msgs')

from espnet_ros.exceptions import InputError
from espnet_ros.nodes.free_space.synchronization.stamp_book import info_of, StampBook
from espnet_ros.nodes.free_space.synchronization.stamp_queue import PendingError
from sensor_msgs.msg import CameraInfo, Image

TOPIC = '/front/camera_info'


def made(kind, sec, frame='front', size=(720, 1280)):
    message = kind(height=size[0], width=size[1])
    message.header.stamp.sec, message.header.frame_id = sec, frame
    return message


def book(*infos):
    result = StampBook(4)
    for info in infos:
        result.add(info.header.stamp.sec * 10**9, info)
    return result


def test_the_calibration_of_the_image_is_found_whatever_came_last():
    wanted = made(CameraInfo, 5)
    infos = book(made(CameraInfo, 4), wanted, made(CameraInfo, 6))
    assert info_of(made(Image, 5), infos, TOPIC) is wanted


def reason(mask, *infos):
    with pytest.raises(PendingError) as error:
        info_of(mask, book(*infos), TOPIC)
    return str(error.value)


def test_that_of_another_image_is_not_used_and_named():
    text = reason(made(Image, 5), made(CameraInfo, 4))
    assert f'5.000, on {TOPIC}, found the last one at 4.000;' in text
    assert 'pixels' not in text and 'frame' not in text
    assert 'found none at all' in reason(made(Image, 5))


def test_two_sizes_and_two_frames_are_named():
    text = reason(made(Image, 5), made(CameraInfo, 4, size=(480, 640)))
    assert 'of 640x480 pixels, the mask has 1280x720' in text
    text = reason(made(Image, 5), made(CameraInfo, 4, frame='rear'))
    assert "expected the frame of the mask, 'front', found 'rear'" in text


@pytest.mark.parametrize(('of_mask', 'of_info'), [('front', 'rear'), ('front', ''), ('', 'rear')])
def test_a_calibration_of_another_frame_is_refused_at_once(of_mask, of_info):
    with pytest.raises(InputError) as error:
        info_of(made(Image, 5, of_mask), book(made(CameraInfo, 5, of_info)), TOPIC)
    assert not isinstance(error.value, PendingError)
    assert repr(of_mask) in str(error.value) and repr(of_info) in str(error.value)


def test_no_frame_on_both_is_one_camera():
    assert info_of(made(Image, 5, ''), book(made(CameraInfo, 5, '')), TOPIC)


def test_a_book_is_bounded_and_forgets_what_is_over():
    infos = book(*(made(CameraInfo, sec) for sec in range(1, 9)))
    assert [sec for sec in range(9) if infos.get(sec * 10**9)] == [5, 6, 7, 8]
    infos.drop_before(7 * 10**9)
    assert [sec for sec in range(9) if infos.get(sec * 10**9)] == [7, 8]
    assert infos.last.header.stamp.sec == 8
    infos.clear()
    assert infos.last is None and infos.get(8 * 10**9) is None
