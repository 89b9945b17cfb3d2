"""What stands where along the endless street."""

from itertools import pairwise

from espnet_ros.sources.street.scene import ROAD_HALF_WIDTH_M, STREET_HALF_WIDTH_M
from espnet_ros.sources.street.town import footprint, plots_between, things_between
import pytest


def test_plots_follow_each_other_without_a_gap() -> None:
    for side in (1, -1):
        plots = [p for p in plots_between(7, 0.0, 500.0) if p.side == side]
        for before, after in pairwise(plots):
            assert after.x_m == pytest.approx(before.x_m + before.length_m)
        assert {p.kind for p in plots} <= {'building', 'park'}


@pytest.mark.parametrize('start_m', [0.0, 313.0, 1e6])
def test_a_window_shows_the_same_things_as_a_larger_one(start_m: float) -> None:
    small = things_between(2, 30.0, start_m, start_m + 50)
    large = things_between(2, 30.0, start_m - 40, start_m + 150)
    assert small
    assert set(small) == {t for t in large if start_m <= t.x_m <= start_m + 50}


def test_parked_cars_do_not_touch() -> None:
    for side in (1, -1):
        cars = [
            footprint(t, 0.0, 0.0)
            for t in things_between(3, 0.0, 0.0, 2000.0)
            if t.kind == 'car' and t.y_m * side > ROAD_HALF_WIDTH_M - 2
        ]
        cars.sort(key=lambda car: car.x_m)
        for before, after in pairwise(cars):
            assert after.x_m - before.x_m > (after.length_m + before.length_m) / 2


def test_everything_stands_where_it_belongs() -> None:
    for thing in things_between(4, 12.0, 0.0, 3000.0):
        on_road = thing.kind in ('car', 'cyclist')
        assert (abs(thing.y_m) < ROAD_HALF_WIDTH_M) == on_road
        assert abs(thing.y_m) < STREET_HALF_WIDTH_M
