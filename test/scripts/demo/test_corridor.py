"""How far it is free straight ahead."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scripts.demo.corridor import free_ahead_m

BEARINGS = np.radians(np.arange(-90, 91))


def ranges(**by_degree: float):
    """Return ranges that are free to the end but for some bearings, for example ``at_10=3``."""
    values = np.full(BEARINGS.size, np.inf)
    for name, value in by_degree.items():
        values[90 + int(name.removeprefix('at_').replace('minus_', '-'))] = value
    return values


def test_nothing_in_the_way_is_free_to_the_end():
    assert free_ahead_m(ranges(), BEARINGS, 20.0, 1.0) == 20.0


def test_the_nearest_thing_in_the_corridor_counts():
    found = free_ahead_m(ranges(at_0=9.0, at_5=6.0, at_minus_3=7.0), BEARINGS, 20.0, 1.0)
    assert found == pytest.approx(6.0 * math.cos(math.radians(5)))


def test_what_stands_beside_the_corridor_does_not_count():
    assert free_ahead_m(ranges(at_30=3.0, at_minus_90=0.5), BEARINGS, 20.0, 1.0) == 20.0
    assert free_ahead_m(ranges(at_30=3.0), BEARINGS, 20.0, 1.6) == pytest.approx(2.598, abs=1e-3)


def test_what_is_not_seen_ahead_is_not_free():
    assert free_ahead_m(ranges(at_0=math.nan), BEARINGS, 20.0, 1.0) is None
    assert free_ahead_m(ranges(at_40=math.nan), BEARINGS, 20.0, 1.0) == 20.0
