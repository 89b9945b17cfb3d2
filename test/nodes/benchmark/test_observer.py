"""Stamps are read from messages that nobody decodes."""

from __future__ import annotations

import struct

import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from espnet_ros.nodes.benchmark.observer import Arrivals, stamp_ns
from nav_msgs.msg import OccupancyGrid
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image


@pytest.mark.parametrize('kind', [Image, OccupancyGrid])
@pytest.mark.parametrize(('seconds', 'nanoseconds'), [(0, 0), (1_800_000_000, 999_999_999)])
def test_the_stamp_of_a_serialised_message_is_that_of_its_header(
    kind: type, seconds: int, nanoseconds: int
) -> None:
    message = kind()
    message.header.frame_id = 'camera'
    message.header.stamp.sec, message.header.stamp.nanosec = seconds, nanoseconds
    assert stamp_ns(serialize_message(message)) == seconds * 10**9 + nanoseconds


def test_the_stamp_of_a_big_endian_machine_is_read_too() -> None:
    assert stamp_ns(b'\x00\x00\x00\x00' + struct.pack('>iI', 7, 5)) == 7_000_000_005


def test_ages_are_of_what_arrived_in_the_window() -> None:
    arrivals = Arrivals([0, 10_000_000, 20_000_000], [5_000_000, 16_000_000, 27_000_000])
    assert arrivals.ages_ms(6_000_000, 27_000_000) == [6.0]
