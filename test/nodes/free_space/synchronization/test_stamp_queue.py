"""What waits is kept in order of its stamps, and never without bound."""

import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from espnet_ros.config import DiagnosticsSettings, FreeSpaceSettings
from espnet_ros.nodes.free_space.synchronization.ages import Ages
from espnet_ros.nodes.free_space.synchronization.stamp_queue import StampQueue

S = 10**9


def filled(*stamps, limit=4):
    queue = StampQueue(limit)
    for stamp in stamps:
        queue.add(stamp, f'mask {stamp}', 0.0)
    return queue


def test_the_oldest_stamp_is_first_whatever_came_first():
    assert [entry.stamp_ns for entry in filled(3, 1, 2)] == [1, 2, 3]


def test_equal_stamps_keep_their_order():
    queue = StampQueue()
    for name in 'abc':
        queue.add(5, name, 0.0)
    assert [entry.item for entry in queue] == ['a', 'b', 'c']


def test_one_too_many_pushes_the_oldest_out():
    queue = filled(4, 2, 5, 3)
    assert queue.add(6, 'mask 6', 0.0).item == 'mask 2'
    assert len(queue) == 4
    assert queue.add(1, 'mask 1', 0.0).item == 'mask 1'


def test_those_before_a_stamp_are_taken_out():
    queue = filled(1, 2, 3)
    assert [entry.item for entry in queue.pop_before(3)] == ['mask 1', 'mask 2']
    assert [entry.stamp_ns for entry in queue] == [3]


def test_what_waits_may_be_removed_while_it_is_looked_at():
    queue = filled(1, 2, 3)
    for entry in queue:
        queue.remove(entry)
    assert len(queue) == 0


def ages(now_ns, max_age_ms, timeout_s=1.0):
    settings = FreeSpaceSettings(
        max_age_ms=max_age_ms, diagnostics=DiagnosticsSettings(image_timeout_s=timeout_s)
    )
    return Ages(lambda: now_ns, lambda: settings)


def test_with_a_greatest_age_the_stamp_decides_how_long_something_waits():
    now = ages(100 * S, 500.0)
    assert not now.is_over(100 * S - S // 4, 99.0)
    assert now.is_over(100 * S - S, 0.0)
    assert now.is_over(101 * S, 0.0), 'a stamp far ahead does not come true'


def test_without_a_greatest_age_it_waits_twice_the_time_a_camera_may_be_silent():
    now = ages(100 * S, 0.0, timeout_s=0.3)
    assert not now.is_over(0, 0.5)
    assert now.is_over(0, 0.7)


def test_without_a_clock_nothing_has_an_age():
    assert ages(0, 500.0).age_s(5 * S) is None
    assert ages(0, 500.0).is_over(5 * S, 0.0)
    assert ages(5 * S, 500.0).is_over(0, 0.0), 'a stamp that was never set'
