from espnet_ros.monitoring.stage_clock import StageClock, Stopwatch
import pytest


def test_percentiles_of_a_stage():
    clock = StageClock()
    for milliseconds in range(101):
        clock.add('inference', milliseconds / 1000, now_s=0.0)
    assert clock.percentile_s('inference', 50, now_s=0.0) == pytest.approx(0.050)
    assert clock.percentile_s('inference', 99, now_s=0.0) == pytest.approx(0.099)


def test_a_stage_without_durations_is_unknown():
    assert StageClock().percentile_s('inference', 50, now_s=0.0) is None


def test_old_durations_are_forgotten():
    clock = StageClock(window_s=10.0)
    clock.add('inference', 5.0, now_s=0.0)
    clock.add('inference', 1.0, now_s=9.0)
    assert clock.percentile_s('inference', 50, now_s=9.0) == 3.0
    assert clock.percentile_s('inference', 50, now_s=9.0, window_s=2.0) == 1.0
    assert clock.percentile_s('inference', 50, now_s=30.0) is None


@pytest.mark.parametrize('unknown', [None, float('nan')])
def test_what_is_unknown_does_not_count(unknown):
    clock = StageClock()
    clock.add('age', unknown, now_s=0.0)
    assert clock.percentile_s('age', 50, now_s=0.0) is None
    assert clock.stages == ()


def test_a_stopwatch_adds_up_what_a_stage_took_even_if_it_fails():
    watch = Stopwatch()
    with watch.stage('convert'):
        pass
    first_s = watch.durations_s['convert']
    with pytest.raises(ValueError), watch.stage('convert'):
        raise ValueError
    assert watch.durations_s['convert'] > first_s >= 0.0
