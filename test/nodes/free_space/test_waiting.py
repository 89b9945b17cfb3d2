"""What waits is kept in order of its stamps, and never without bound."""

import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from espnet_ros.config import DiagnosticsSettings, FreeSpaceSettings
from espnet_ros.nodes.free_space.stamps import Ages, ClockReading, StampWatch
from espnet_ros.nodes.free_space.waiting import StampQueue

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
    return Ages(lambda: ClockReading(now_ns), lambda: settings)


def test_with_a_greatest_age_the_stamp_decides_how_long_something_waits():
    now = ages(100 * S, 500.0)
    assert not now.is_over(100 * S - S // 4, 99.0)
    assert now.is_over(100 * S - S, 0.0)
    assert now.is_over(101 * S, 0.0), 'a stamp far ahead does not come true'


def test_without_a_greatest_age_it_waits_twice_the_time_a_camera_may_be_silent():
    now = ages(100 * S, 0.0, timeout_s=0.3)
    assert not now.is_over(0, 0.5)
    assert now.is_over(0, 0.7)


FAULTS = {
    'no /clock': (5 * S, ClockReading(0, is_simulated=True), 'nobody publishes /clock'),
    'zero': (0, ClockReading(100 * S), 'the camera driver sets none'),
    'ahead': (110 * S, ClockReading(100 * S), '10.000 s ahead of the clock of this node'),
    'none': (99 * S, ClockReading(100 * S), ''),
    'a little ahead': (100 * S + S // 10, ClockReading(100 * S), ''),
}


@pytest.mark.parametrize('name', FAULTS)
def test_a_bad_stamp_is_named_by_its_cause(name):
    stamp_ns, clock, words = FAULTS[name]
    watch = StampWatch()
    watch.add(stamp_ns)
    fault = watch.fault(clock, 0.5)
    assert words in fault
    assert bool(fault) == bool(words)


def test_one_stamp_on_all_is_noticed_and_forgotten_once_they_advance():
    watch, clock = StampWatch(), ClockReading(100 * S)
    for _ in range(5):
        watch.add(99 * S)
        assert watch.fault(clock, 0.5) == ''
    watch.add(99 * S)
    assert 'the last 6 masks have one stamp, 99.000' in watch.fault(clock, 0.5)
    watch.add(99 * S + 1)
    assert watch.fault(clock, 0.5) == ''
