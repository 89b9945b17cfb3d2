from espnet_ros.monitoring.camera_record import CameraRecord, Failure
from espnet_ros.monitoring.stamp_record import StampFault
import pytest


def record_with_masks() -> CameraRecord:
    record = CameraRecord('front', now_s=100.0)
    for step in range(4):
        now_s = 100.0 + step / 10
        record.received(now_s, 'bgr8 32x16', replaced=step == 2)
        record.published(now_s, stamp_s=7.0 + step / 5)
        record.took(now_s, {'latency': 0.02, 'age': None})
    return record


def test_knows_nothing_at_first():
    now = CameraRecord('', now_s=100.0).snapshot(101.5)
    assert (now.image, now.input_rate_hz, now.output_rate_hz, now.failure) == (None,) * 4
    assert now.waited_s == now.idle_s == 1.5
    assert set(now.median_s.values()) == {None}


def test_counts_and_rates():
    now = record_with_masks().snapshot(100.3)
    assert (now.frames_received, now.frames_dropped, now.frames_published) == (4, 1, 4)
    assert now.input_rate_hz == pytest.approx(10.0)
    assert now.stamp_rate_hz == pytest.approx(5.0)
    assert now.median_s['latency'] == pytest.approx(0.02)
    assert now.median_s['age'] is None


def test_rates_fall_and_times_grow_when_images_stop():
    now = record_with_masks().snapshot(110.3)
    assert now.input_rate_hz == now.output_rate_hz == pytest.approx(0.1)
    assert now.waited_s == now.idle_s == pytest.approx(10.0)
    assert now.median_s['latency'] is None


def test_a_failure_stays_until_a_mask_is_published_again():
    record = record_with_masks()
    record.failed(101.0, 'output', 'out of memory')
    assert record.snapshot(200.0).failure == Failure('output', 'out of memory', is_latest=True)
    record.published(201.0, None)
    assert record.snapshot(201.0).failure is None


def test_a_failure_among_masks_is_told_for_a_second():
    record = record_with_masks()
    record.failed(101.0, 'input', 'cut off')
    record.published(101.1, None)
    assert record.snapshot(101.2).failure == Failure('input', 'cut off', is_latest=False)
    assert record.snapshot(102.1).failure is None


def test_stamps_that_are_repeated_are_no_events_of_the_camera():
    record = CameraRecord('', now_s=100.0)
    for step in range(4):
        for again in range(3):
            now_s = 100.0 + step / 10 + again / 100
            record.stamped(now_s, (7 + step) * 10**9)
            record.published(now_s, stamp_s=7.0 + step)
    now = record.snapshot(100.4)
    assert now.stamp_rate_hz == pytest.approx(1.0)
    assert now.stamps.counts[StampFault.REPEATED] == 8


def test_a_new_start_forgets_rates_but_not_counts():
    record = record_with_masks()
    record.restart(200.0)
    now = record.snapshot(200.5)
    assert (now.frames_published, now.waited_s) == (4, 0.5)
    assert now.output_rate_hz is None


def test_a_state_without_percentiles_has_all_the_rest():
    record = record_with_masks()
    quick, full = record.snapshot(100.3, percentiles=False), record.snapshot(100.3)
    assert (quick.median_s, quick.p99_s) == ({}, {})
    assert quick.output_rate_hz == full.output_rate_hz is not None
    assert quick.frames_published == full.frames_published
