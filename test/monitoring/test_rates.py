import pickle

from espnet_ros.monitoring.rates import MOST_EVENTS, RateMeter
import pytest


def meter_at(*times_s: float) -> RateMeter:
    meter = RateMeter(window_s=2.0)
    for time_s in times_s:
        meter.add(time_s)
    return meter


def test_is_unknown_before_the_second_event():
    assert meter_at().rate_hz(5.0) is None
    assert meter_at(1.0).rate_hz(5.0) is None
    assert meter_at().since_last_s(5.0) is None


def test_counts_intervals_not_events():
    assert meter_at(0.0, 0.1, 0.2, 0.3).rate_hz(0.3) == pytest.approx(10.0)


def test_falls_while_nothing_comes():
    meter = meter_at(0.0, 0.1, 0.2)
    assert meter.rate_hz(0.25) == pytest.approx(10.0)
    assert meter.rate_hz(2.2) == pytest.approx(0.5)
    assert meter.since_last_s(2.2) == pytest.approx(2.0)


def test_has_the_true_rate_again_two_events_after_a_gap():
    meter = meter_at(0.0, 0.1, 0.2)
    meter.add(30.0)
    meter.add(30.1)
    assert meter.rate_hz(30.1) == pytest.approx(10.0)


def test_knows_rates_slower_than_its_window():
    assert meter_at(0.0, 5.0, 10.0).rate_hz(10.0) == pytest.approx(0.2)


def test_starts_anew_when_the_clock_is_set_back():
    meter = meter_at(100.0, 100.1)
    meter.add(5.0)
    assert meter.rate_hz() is None
    meter.add(5.5)
    assert meter.rate_hz() == pytest.approx(2.0)


def test_equal_times_have_no_rate():
    assert meter_at(1.0, 1.0).rate_hz(1.0) is None


@pytest.mark.parametrize('step_s', [0.0, 1e-9, 1e-3])
def test_keeps_a_bounded_number_of_events_whatever_their_times(step_s):
    meter = RateMeter(window_s=60.0)
    for step in range(3 * MOST_EVENTS):
        meter.add(step * step_s)
    assert len(pickle.dumps(meter)) < 20 * MOST_EVENTS
    assert meter.rate_hz() == (pytest.approx(1 / step_s) if step_s else None)
