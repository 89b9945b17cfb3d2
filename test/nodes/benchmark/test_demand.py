"""A camera on demand keeps some images under way, and floods nobody."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from espnet_ros.nodes.benchmark.demand import Demand, GAP_S, LOST_AFTER_S, UNDER_WAY


def publish_all(demand: Demand, now_s: float) -> list[tuple[int, int]]:
    """Publish until there is no room; return cameras and stamps."""
    published = []
    for turn in range(10):
        for index in demand.due(now_s + turn * GAP_S):
            stamp_ns = 1 + len(published) + round(now_s * 1e9)
            demand.published(index, stamp_ns, now_s + turn * GAP_S)
            published.append((index, stamp_ns))
    return published


def test_so_many_are_under_way_and_no_more() -> None:
    demand = Demand(2)
    published = publish_all(demand, 0.0)
    assert sorted(index for index, _ in published) == [0] * UNDER_WAY + [1] * UNDER_WAY
    assert demand.wait_s() > GAP_S


def test_images_of_one_camera_keep_a_gap() -> None:
    demand = Demand(1)
    assert demand.due(1.0) == [0]
    demand.published(0, 1, 1.0)
    assert demand.due(1.0 + GAP_S / 2) == []
    assert demand.wait_s() == GAP_S
    assert demand.due(1.0 + 1.5 * GAP_S) == [0]


def test_an_arrival_makes_room_for_itself_and_for_those_that_were_given_up_before_it() -> None:
    demand = Demand(1)
    stamps = [stamp for _, stamp in publish_all(demand, 0.0)]
    demand.arrived(0, stamps[0], 0.5)
    assert len(publish_all(demand, 0.5)) == 1
    demand.arrived(0, stamps[2], 0.6)
    assert len(publish_all(demand, 0.6)) == 2


def test_what_does_not_come_back_is_lost_after_a_while() -> None:
    demand = Demand(1)
    publish_all(demand, 0.0)
    assert demand.due(0.99 * LOST_AFTER_S) == []
    assert demand.due(1.01 * LOST_AFTER_S) == [0]
