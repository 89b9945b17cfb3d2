from concurrent.futures import ThreadPoolExecutor

from espnet_ros.monitoring.frame_slot import FrameSlots
import pytest

LIMIT_S = 10.0


def test_newest_frame_replaces_the_waiting_one_and_the_older_counts_as_dropped():
    slots = FrameSlots(['front'])
    assert not slots.put('front', 1)
    assert slots.put('front', 2)
    assert slots.put('front', 3)
    assert slots.take_all() == {'front': 3}
    assert slots.dropped('front') == 2


def test_cameras_do_not_replace_each_other_and_keep_their_order():
    slots = FrameSlots(['front', 'left', 'rear'])
    slots.put('rear', 'r')
    slots.put('front', 'f')
    taken = slots.take_all()
    assert list(taken) == ['front', 'rear']
    assert slots.dropped('front') == slots.dropped('left') == slots.dropped('rear') == 0


def test_a_taken_frame_is_gone():
    slots = FrameSlots(['front'])
    slots.put('front', 1)
    slots.take_all()
    assert not slots.put('front', 2)
    assert slots.take_all() == {'front': 2}


def test_forgotten_frames_do_not_count():
    slots = FrameSlots(['front'])
    slots.put('front', 1)
    slots.clear()
    assert not slots.put('front', 2)
    assert slots.dropped('front') == 0


@pytest.mark.parametrize('waiting', [False, True])
def test_stop_wakes_a_taker(waiting):
    slots = FrameSlots(['front'])
    if waiting:
        slots.put('front', 1)
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(slots.take_all, lambda: 1e6 if waiting else 0.0)
        slots.stop()
        assert taken.result(LIMIT_S) is None
    assert slots.take_all() is None


def test_a_taker_waits_for_a_frame():
    slots = FrameSlots(['front'])
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(slots.take_all)
        slots.put('front', 1)
        assert taken.result(LIMIT_S) == {'front': 1}


def test_a_taker_waits_for_the_time_and_takes_what_is_newest_then():
    now_s = 100.0
    slots = FrameSlots(['front'], clock=lambda: now_s)
    slots.put('front', 1)
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(slots.take_all, lambda: 160.0)
        slots.put('front', 2)
        assert not taken.done()
        now_s = 160.0
        slots.put('front', 3)
        assert taken.result(LIMIT_S) == {'front': 3}
    assert slots.dropped('front') == 2


def test_a_taker_that_waits_for_a_time_asks_again_when_woken():
    limit_s = 1e9
    slots = FrameSlots(['front'], clock=lambda: 100.0)
    slots.put('front', 1)
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(slots.take_all, lambda: limit_s)
        limit_s = 0.0
        slots.wake()
        assert taken.result(LIMIT_S) == {'front': 1}
