"""Which camera_info is found for a stamp."""

import pytest

pytest.importorskip('sensor_msgs', reason='no ROS messages')

from espnet_ros.nodes.segmentation.camera.geometry import InfoBuffer
from sensor_msgs.msg import CameraInfo

pytestmark = pytest.mark.ros


def buffer_of(*stamps: int, capacity: int = 8) -> InfoBuffer:
    buffer = InfoBuffer(capacity)
    for stamp in stamps:
        buffer.put(stamp, CameraInfo(width=stamp))
    return buffer


def found(buffer: InfoBuffer, stamp: int) -> int | None:
    match = buffer.at_or_before(stamp)
    assert match is None or match[0] == match[1].width
    return None if match is None else match[0]


@pytest.mark.parametrize(
    ('stamp', 'expected'), [(9, None), (10, 10), (14, 10), (20, 20), (29, 20), (99, 30)]
)
def test_finds_the_equal_stamp_or_the_last_one_before_it(stamp, expected):
    assert found(buffer_of(10, 20, 30), stamp) == expected


def test_an_empty_one_finds_nothing():
    assert found(buffer_of(), 5) is None
    assert buffer_of().oldest_ns() is None


def test_keeps_the_newest_of_a_bounded_number():
    buffer = buffer_of(*range(1, 101), capacity=4)
    assert (len(buffer), buffer.oldest_ns()) == (4, 97)
    assert found(buffer, 96) is None
    assert found(buffer, 98) == 98


def test_stamps_that_go_back_drop_what_is_later():
    buffer = buffer_of(10, 20, 30, 15)
    assert found(buffer, 99) == 15
    assert found(buffer, 12) == 10


def test_an_equal_stamp_is_replaced():
    buffer = buffer_of(0)
    newer = CameraInfo(height=7)
    buffer.put(0, newer)
    assert (len(buffer), buffer.at_or_before(0)[1]) == (1, newer)
