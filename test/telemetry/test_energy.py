"""Energy: exactness against a known power curve, gaps, counters, windows."""

from __future__ import annotations

import math
import random

from espnet_ros.telemetry.energy import EnergyMeter, EnergyWindow
from espnet_ros.telemetry.power_sensor import PowerReading
import pytest

GAP_S = 2.0


def reading(time_s: float, total_w: float | None, energy_j: float | None = None) -> PowerReading:
    return PowerReading(time_s, 'test', 'module', 'VDD_IN', total_w, energy_j=energy_j)


def power_w(time_s: float) -> float:
    """Return the power of a robot whose load swings and ramps."""
    return 12.0 + 4.0 * math.sin(2 * math.pi * time_s / 8.0) + 0.05 * time_s


def exact_j(start_s: float, end_s: float) -> float:
    """Return the integral of :func:`power_w`."""

    def antiderivative(t: float) -> float:
        return (
            12.0 * t - 4.0 * 8.0 / (2 * math.pi) * math.cos(2 * math.pi * t / 8.0) + 0.025 * t * t
        )

    return antiderivative(end_s) - antiderivative(start_s)


def jittered_times(rate_hz: float, jitter: float, end_s: float, seed: int) -> list[float]:
    """Return the times of samples whose distances vary by a share of the period."""
    chance = random.Random(seed)
    times, now = [0.0], 0.0
    while now < end_s:
        now += (1 + jitter * chance.uniform(-1, 1)) / rate_hz
        times.append(now)
    return times


@pytest.mark.parametrize('seed', range(5))
@pytest.mark.parametrize('rate_hz', [2.0, 10.0])
def test_energy_is_exact_to_half_a_percent_with_jittered_sampling(
    rate_hz: float, seed: int
) -> None:
    meter = EnergyMeter()
    times = jittered_times(rate_hz, 0.8, 60.0, seed)
    for time_s in times:
        meter.add(reading(time_s, power_w(time_s)), GAP_S)
    assert meter.total_j == pytest.approx(exact_j(0.0, times[-1]), rel=0.005)
    for start_s in (3.21, 17.9, 41.03):
        window = meter.window(start_s, start_s + 10.0)
        assert window.energy_j == pytest.approx(exact_j(start_s, start_s + 10.0), rel=0.005)
        assert window.covered_s == pytest.approx(10.0)


@pytest.mark.parametrize('seed', range(5))
def test_energy_of_single_frames_adds_up_to_the_whole(seed: int) -> None:
    meter = EnergyMeter()
    for time_s in jittered_times(2.0, 0.8, 30.0, seed):
        meter.add(reading(time_s, power_w(time_s)), GAP_S)
    period_s = 1 / 25
    frames = [meter.window(n * period_s, (n + 1) * period_s) for n in range(25 * 20)]
    energies = [frame.energy_j for frame in frames]
    assert None not in energies
    assert sum(e for e in energies if e is not None) == pytest.approx(
        exact_j(0.0, 20.0), rel=0.005
    )


def test_gap_is_not_made_up() -> None:
    meter = EnergyMeter()
    for time_s in (0.0, 1.0, 9.0, 10.0):
        meter.add(reading(time_s, 10.0), GAP_S)
    assert meter.total_j == pytest.approx(20.0)
    window = meter.window(0.0, 10.0)
    assert window.covered_s == pytest.approx(2.0)
    assert window.mean_power_w is None and window.energy_j is None
    assert meter.window(0.0, 1.0).energy_j == pytest.approx(10.0)


def test_unknown_power_leaves_a_hole_and_no_zero() -> None:
    meter = EnergyMeter()
    assert meter.total_j is None
    for time_s, total_w in ((0.0, None), (1.0, 10.0), (2.0, None), (3.0, 10.0), (4.0, 10.0)):
        meter.add(reading(time_s, total_w), GAP_S)
    assert meter.total_j == pytest.approx(10.0)
    assert meter.window(0.0, 4.0).energy_j is None


def test_sensor_that_never_reads_has_no_energy() -> None:
    meter = EnergyMeter()
    for time_s in range(5):
        meter.add(reading(float(time_s), None), GAP_S)
    assert meter.total_j is None
    assert meter.window(0.0, 4.0).energy_j is None


def test_clock_that_stands_still_or_goes_back_adds_nothing() -> None:
    meter = EnergyMeter()
    for time_s in (1.0, 2.0, 2.0, 1.5, 2.5):
        meter.add(reading(time_s, 10.0), GAP_S)
    assert meter.total_j == pytest.approx(20.0)


def test_power_that_jumps_is_integrated_as_it_is_read() -> None:
    meter = EnergyMeter()
    for time_s, total_w in ((0.0, 5.0), (1.0, 5.0), (1.001, 60.0), (2.0, 60.0)):
        meter.add(reading(time_s, total_w), GAP_S)
    assert meter.total_j == pytest.approx(5.0 + 0.0325 + 0.999 * 60)


def test_count_of_the_hardware_is_used_instead_of_power() -> None:
    meter = EnergyMeter()
    for time_s, energy_j in ((0.0, 100.0), (1.0, 107.0), (20.0, 240.0)):
        meter.add(reading(time_s, 99.0, energy_j), GAP_S)
    assert meter.total_j == pytest.approx(140.0)
    assert meter.window(0.0, 20.0).mean_power_w == pytest.approx(7.0)


def test_counter_that_starts_anew_loses_only_that_step() -> None:
    meter = EnergyMeter()
    for time_s, energy_j in ((0.0, 100.0), (1.0, 110.0), (2.0, 3.0), (3.0, 13.0)):
        meter.add(reading(time_s, 10.0, energy_j), GAP_S)
    assert meter.total_j == pytest.approx(20.0)


def test_negative_power_of_an_idle_rail_is_kept() -> None:
    meter = EnergyMeter()
    for time_s in (0.0, 1.0, 2.0):
        meter.add(reading(time_s, -0.4), GAP_S)
    assert meter.window(0.5, 1.5).energy_j == pytest.approx(-0.4)


def test_only_what_may_be_asked_for_is_kept() -> None:
    meter = EnergyMeter(kept_s=5.0)
    for n in range(1000):
        meter.add(reading(n * 0.1, 10.0), GAP_S)
    assert len(meter._segments) < 60
    assert meter.total_j == pytest.approx(999.0)


def test_power_above_idle_is_known_only_with_both() -> None:
    window = EnergyWindow(10.0, 10.0, 80.0)
    assert window.above(5.0) == pytest.approx(3.0)
    assert window.above(None) is None
    assert EnergyWindow(10.0, 0.0, 0.0).above(5.0) is None


def ramp_between(meter: EnergyMeter, energy_j: tuple[float | None, float | None]) -> None:
    """Add two readings: over four seconds the power falls evenly from 30 W to 10 W."""
    meter.add(reading(10.0, 30.0, energy_j[0]), 5.0)
    meter.add(reading(14.0, 10.0, energy_j[1]), 5.0)


@pytest.mark.parametrize(
    ('start_s', 'end_s', 'energy_j'),
    [
        (10.0, 11.0, 27.5),
        (11.0, 13.0, 40.0),
        (13.0, 14.0, 12.5),
        (9.0, 12.0, 50.0),
        (12.0, 99.0, 30.0),
        (12.5, 12.5, 0.0),
    ],
)
def test_between_two_readings_the_power_changes_evenly(
    start_s: float, end_s: float, energy_j: float
) -> None:
    meter = EnergyMeter()
    ramp_between(meter, (None, None))
    window = meter.window(start_s, end_s)
    assert window.covered_j == pytest.approx(energy_j)
    assert window.covered_s == pytest.approx(max(min(end_s, 14.0) - max(start_s, 10.0), 0.0))


def test_a_count_of_the_hardware_is_spread_as_the_power_went() -> None:
    meter = EnergyMeter()
    ramp_between(meter, (1000.0, 1160.0))  # twice what the power readings say
    assert meter.window(10.0, 11.0).energy_j == pytest.approx(55.0)
    assert meter.window(13.0, 14.0).energy_j == pytest.approx(25.0)


def test_a_count_alone_is_spread_evenly() -> None:
    meter = EnergyMeter()
    meter.add(reading(10.0, None, 1000.0), 5.0)
    meter.add(reading(14.0, None, 1160.0), 5.0)
    assert meter.window(10.0, 11.0).energy_j == pytest.approx(40.0)


def test_a_count_without_power_of_one_end_uses_the_mean_there() -> None:
    meter = EnergyMeter()
    meter.add(reading(10.0, None, 0.0), 5.0)
    meter.add(reading(12.0, 10.0, 40.0), 5.0)  # 20 W on average, 10 W at the end
    assert meter.window(10.0, 11.0).energy_j == pytest.approx(40.0 * 17.5 / 30.0)


def test_a_count_beside_a_power_that_reads_zero_is_spread_evenly() -> None:
    meter = EnergyMeter()
    meter.add(reading(10.0, 0.0, 0.0), 5.0)
    meter.add(reading(14.0, 0.0, 2.0), 5.0)
    assert meter.window(10.0, 11.0).energy_j == pytest.approx(0.5)


def test_the_power_of_a_small_rail_changes_as_evenly_as_that_of_a_large_one() -> None:
    meter = EnergyMeter()
    meter.add(reading(10.0, 0.03), 5.0)
    meter.add(reading(14.0, 0.01), 5.0)
    assert meter.window(10.0, 11.0).energy_j == pytest.approx(0.0275)


def test_power_that_crosses_zero_gives_the_halves_what_each_of_them_took() -> None:
    meter = EnergyMeter()
    meter.add(reading(0.0, -1.0), 5.0)
    meter.add(reading(2.0, 3.0), 5.0)
    assert meter.window(0.0, 1.0).covered_j == pytest.approx(0.0)
    assert meter.window(1.0, 2.0).covered_j == pytest.approx(2.0)


def test_a_window_that_ends_before_it_starts_is_empty() -> None:
    meter = EnergyMeter()
    ramp_between(meter, (None, None))
    window = meter.window(13.0, 11.0)
    assert (window.duration_s, window.covered_s, window.covered_j) == (0.0, 0.0, 0.0)
    assert window.energy_j is None
