"""What is wrong with stamps, and for how long it is told."""

from espnet_ros.monitoring.stamp_record import StampFault, StampRecord
import pytest

S = 10**9


def record_of(*stamps_ns: int) -> StampRecord:
    record = StampRecord()
    for step, stamp_ns in enumerate(stamps_ns):
        record.received(step / 10, stamp_ns)
    return record


def test_nothing_is_known_before_the_first_image():
    assert StampRecord().snapshot().counts == {}


def test_stamps_that_grow_are_in_order():
    now = record_of(S, 2 * S, 3 * S).snapshot()
    assert (now.fault, set(now.counts.values())) == (None, {0})


@pytest.mark.parametrize(
    ('stamps_ns', 'fault', 'count', 'difference_s'),
    [
        ((S, 0, S), StampFault.ZERO, 1, 0.0),
        ((0, 0, 0), StampFault.ZERO, 3, 0.0),
        ((S, S, S), StampFault.REPEATED, 2, 0.0),
        ((9 * S, 2 * S, 3 * S), StampFault.BACK, 1, 7.0),
    ],
)
def test_stamps_are_zero_or_repeated_or_go_back(stamps_ns, fault, count, difference_s):
    now = record_of(*stamps_ns).snapshot()
    assert (now.fault, now.counts[fault], now.difference_s) == (fault, count, difference_s)


@pytest.mark.parametrize(('stamp_ns', 'can'), [(0, False), (5 * S, False), (4 * S, True)])
def test_an_image_without_a_stamp_of_its_own_has_no_age(stamp_ns, can):
    record = StampRecord()
    assert record.received(0.0, 5 * S)
    assert record.received(0.1, stamp_ns) is can


@pytest.mark.parametrize(('ahead_s', 'fault'), [(0.1, None), (0.11, StampFault.AHEAD)])
def test_stamps_are_ahead_of_the_clock_by_more_than_a_tenth_of_a_second(ahead_s, fault):
    record = record_of(S)
    assert record.compared(0.0, ahead_s) is (fault is None)
    assert record.snapshot().fault is fault


def test_a_fault_is_told_until_images_are_good_for_two_seconds():
    record = record_of(9 * S, S)
    record.received(1.9, 2 * S)
    assert record.snapshot().fault is StampFault.BACK
    record.received(2.3, 3 * S)
    assert record.snapshot().fault is None
    assert record.snapshot().counts[StampFault.BACK] == 1


def test_a_fault_of_a_slow_camera_is_told_until_the_next_image():
    record = record_of(0)
    assert record.snapshot().fault is StampFault.ZERO
    record.received(60.0, S)
    assert record.snapshot().fault is None


def test_a_new_start_forgets_the_last_stamp_but_not_the_counts():
    record = record_of(9 * S, 0, 9 * S)
    record.restart()
    record.received(1.0, 9 * S)
    assert record.snapshot().fault is None
    assert record.snapshot().counts[StampFault.ZERO] == 1
