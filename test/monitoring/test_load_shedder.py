"""The rate of inference goes down while the machine is over its limits, and comes back."""

from __future__ import annotations

import pytest

pytest.importorskip('espnet_ros.monitoring.load_shedder')

from espnet_ros.monitoring.load_shedder import effective_rate_hz, LoadShedder


class Robot:
    """A robot that a test leads through time."""

    def __init__(self) -> None:
        self.shedder = LoadShedder()
        self.now_s = 0.0

    def spend(self, seconds: float, load: float | None, rate_hz: float | None = 20.0) -> float:
        """Let time pass at a load, and return the limit then."""
        for _ in range(round(seconds * 2)):
            self.now_s += 0.5
            self.shedder.update(self.now_s, load, rate_hz)
        return self.shedder.limit_hz


def test_within_its_limits_nothing_is_held_back() -> None:
    assert Robot().spend(60, 0.95) == 0.0


def test_a_short_peak_changes_nothing() -> None:
    robot = Robot()
    assert robot.spend(2, 1.2) == 0.0
    assert robot.spend(2, 0.95) == 0.0
    assert robot.spend(2, 1.2) == 0.0


def test_above_a_limit_the_rate_goes_down_step_by_step() -> None:
    robot = Robot()
    limits = [robot.spend(3.5, 1.2), robot.spend(3, 1.2), robot.spend(3, 1.2)]
    assert limits == [pytest.approx(16.0), pytest.approx(12.8), pytest.approx(10.24)]


def test_the_rate_never_goes_to_nothing() -> None:
    assert Robot().spend(600, 3.0) == pytest.approx(0.5)


def test_near_the_limit_the_rate_stays() -> None:
    robot = Robot()
    before = robot.spend(3.5, 1.2)
    assert before > 0
    assert robot.spend(60, 0.95) == before


def test_well_below_the_limit_the_rate_comes_back_whole() -> None:
    robot = Robot()
    lowered = robot.spend(7, 1.2)
    assert lowered < robot.spend(12, 0.5)
    assert robot.spend(30, 0.5) == 0.0


def test_what_is_not_known_changes_nothing() -> None:
    robot = Robot()
    before = robot.spend(3.5, 1.2)
    assert robot.spend(60, None) == before


def test_where_nothing_is_computed_nothing_is_shed() -> None:
    assert Robot().spend(60, 2.0, rate_hz=None) == 0.0


@pytest.mark.parametrize(
    ('limits', 'lowest'), [((0.0, 0.0), 0.0), ((5.0, 0.0), 5.0), ((5.0, 3.0), 3.0)]
)
def test_lowest_limit_holds(limits: tuple[float, ...], lowest: float) -> None:
    assert effective_rate_hz(*limits) == lowest
