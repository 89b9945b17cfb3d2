"""The endless street: which things stand or move where, by seed and time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
import math

from espnet_ros.sources.street.scene import (
    Box,
    Cylinder,
    LANE_WIDTH_M,
    ROAD_HALF_WIDTH_M,
    STREET_HALF_WIDTH_M,
)
import numpy as np

BLOCK_M = 60.0
BUILDING_DEPTH_M = 12.0
FENCE_HEIGHT_M = 1.3
CAR_LENGTHS_M = (4.5, 4.1, 4.6, 5.2)
CAR_WIDTHS_M = (1.8, 1.74, 1.9, 2.0)
CAR_HEIGHTS_M = (1.47, 1.5, 1.72, 2.15)

_PARKED_M = ROAD_HALF_WIDTH_M - 1.05
_CURB_SIDE_M = ROAD_HALF_WIDTH_M + 0.6


@dataclass(frozen=True)
class Thing:
    """
    Something in the street, in street coordinates (x along it, y left from its middle).

    :param kind: car, person, cyclist, tree, lamp or sign
    :param x_m: along the street
    :param y_m: left from the middle of the road
    :param heading: 1 along the street, -1 against it
    :param variant: four random numbers of 0..1 that its looks are drawn from
    """

    kind: str
    x_m: float
    y_m: float
    heading: int
    variant: tuple[float, ...]

    @property
    def model(self) -> int:
        return int(self.variant[0] ** 1.3 * len(CAR_LENGTHS_M))

    @property
    def height_m(self) -> float:
        """Return its height over the ground; of a tree, that of its trunk."""
        spread = self.variant[1]
        return {
            'car': CAR_HEIGHTS_M[self.model],
            'person': 1.55 + 0.3 * spread,
            'cyclist': 1.8,
            'tree': 2.6 + spread,
            'lamp': 7.5,
            'sign': 2.9,
        }[self.kind]


@dataclass(frozen=True)
class Plot:
    """
    A piece of land along the building line.

    :param kind: building or park
    :param side: 1 left, -1 right
    :param x_m: where it begins
    :param length_m: extent along the street
    :param height_m: height of the facade, or of the fence
    :param variant: four random numbers of 0..1 that its looks are drawn from
    """

    kind: str
    side: int
    x_m: float
    length_m: float
    height_m: float
    variant: tuple[float, ...]


@dataclass(frozen=True)
class _Stream:
    """Things of one kind that follow each other at a spacing, all at one speed."""

    kind: str
    y_m: float
    spacing_m: float
    jitter_m: float
    share: float
    speed_mps: float = 0.0
    heading: int = 1
    y_jitter_m: float = 0.0


_WALK_M = ROAD_HALF_WIDTH_M + 1.95
_STREAMS = (
    _Stream('car', _PARKED_M, 6.3, 0.5, 0.62, heading=-1),
    _Stream('car', -_PARKED_M, 6.3, 0.5, 0.55),
    _Stream('car', LANE_WIDTH_M / 2, 38.0, 14.0, 0.75, -9.0, -1),
    _Stream('car', -LANE_WIDTH_M / 2, 90.0, 0.0, 1.0, 8.0),
    _Stream('cyclist', -LANE_WIDTH_M + 0.3, 75.0, 20.0, 0.7, 4.5),
    _Stream('person', _WALK_M, 17.0, 6.0, 0.7, 1.3, 1, 0.65),
    _Stream('person', _WALK_M, 19.0, 6.0, 0.6, -1.2, -1, 0.65),
    _Stream('person', -_WALK_M, 16.0, 6.0, 0.7, 1.35, 1, 0.65),
    _Stream('person', -_WALK_M, 18.0, 6.0, 0.7, -1.25, -1, 0.65),
    _Stream('tree', _CURB_SIDE_M, 17.0, 2.0, 0.7),
    _Stream('tree', -_CURB_SIDE_M, 17.0, 2.0, 0.6),
    _Stream('lamp', _CURB_SIDE_M - 0.1, 34.0, 0.0, 1.0, heading=-1),
    _Stream('lamp', -_CURB_SIDE_M + 0.1, 34.0, 0.0, 1.0),
    _Stream('sign', _CURB_SIDE_M, 37.0, 9.0, 0.7, heading=-1),
    _Stream('sign', -_CURB_SIDE_M, 31.0, 9.0, 0.8),
)
_OFFSETS_M = (0.0, 0.0, 20.0, 34.0, 26.0, 0.0, 0.0, 0.0, 0.0, 8.0, 4.0, 0.0, 17.0, 12.0, 27.0)


def things_between(seed: int, time_s: float, start_m: float, end_m: float) -> list[Thing]:
    """
    Return what stands or moves between two places along the street.

    :param start_m: along the street
    :param end_m: along the street
    """
    return [
        thing
        for number in range(len(_STREAMS))
        for thing in _stream_between(seed, number, time_s, start_m, end_m)
    ]


def _stream_between(
    seed: int, number: int, time_s: float, start_m: float, end_m: float
) -> Iterator[Thing]:
    stream = _STREAMS[number]
    moved_m = stream.speed_mps * time_s + _OFFSETS_M[number]
    first = math.floor((start_m - moved_m - stream.jitter_m) / stream.spacing_m)
    last = math.ceil((end_m - moved_m) / stream.spacing_m)
    for index in range(first, last + 1):
        present, along, across, *variant = draws(seed, number, index)
        x_m = index * stream.spacing_m + moved_m + stream.jitter_m * along
        if present < stream.share and start_m <= x_m <= end_m:
            y_m = stream.y_m + stream.y_jitter_m * (2 * across - 1)
            yield Thing(stream.kind, x_m, y_m, stream.heading, tuple(variant))


def plots_between(seed: int, start_m: float, end_m: float) -> list[Plot]:
    """Return the plots on both sides between two places along the street."""
    blocks = range(math.floor(start_m / BLOCK_M), math.floor(end_m / BLOCK_M) + 1)
    return [
        plot
        for side in (1, -1)
        for block in blocks
        for plot in _plots_of_block(seed, side, block)
        if plot.x_m + plot.length_m >= start_m and plot.x_m <= end_m
    ]


@lru_cache(maxsize=256)
def _plots_of_block(seed: int, side: int, block: int) -> tuple[Plot, ...]:
    """Cut a block into three to five plots; one in five is a park."""
    rng = _generator(seed, 100 + side, block)
    weights = rng.uniform(0.7, 1.4, rng.integers(3, 6))
    lengths_m = weights / weights.sum() * BLOCK_M
    starts_m = block * BLOCK_M + np.concatenate([[0.0], np.cumsum(lengths_m)[:-1]])
    plots = []
    for x_m, length_m in zip(starts_m, lengths_m, strict=True):
        is_park = rng.random() < 0.16
        floors = int(rng.integers(2, 6))
        height_m = FENCE_HEIGHT_M if is_park else 3.6 + 3.0 * floors - 1.5 * rng.random()
        kind = 'park' if is_park else 'building'
        variant = tuple(float(v) for v in rng.random(4))
        plots.append(Plot(kind, side, float(x_m), float(length_m), float(height_m), variant))
    return tuple(plots)


@lru_cache(maxsize=8192)
def draws(seed: int, stream: int, index: int) -> tuple[float, ...]:
    """Return seven random numbers of 0..1 that belong to one thing."""
    return tuple(float(v) for v in _generator(seed, stream, index).random(7))


def _generator(seed: int, stream: int, index: int) -> np.random.Generator:
    return np.random.default_rng((seed, stream, index & 0xFFFFFFFF))


def footprint(thing: Thing | Plot, position_m: float, vehicle_offset_m: float) -> Box | Cylinder:
    """
    Return the obstacle that a thing is, in the vehicle's frame.

    :param position_m: where the vehicle is along the street
    :param vehicle_offset_m: y of the vehicle from the middle of the road
    """
    x_m = thing.x_m - position_m
    if isinstance(thing, Plot):
        depth_m, label = (
            (BUILDING_DEPTH_M, 'building') if thing.kind == 'building' else (0.1, 'fence')
        )
        y_m = thing.side * (STREET_HALF_WIDTH_M + depth_m / 2) - vehicle_offset_m
        return Box(label, x_m + thing.length_m / 2, y_m, thing.length_m, depth_m, thing.height_m)
    y_m = thing.y_m - vehicle_offset_m
    if thing.kind == 'car':
        length_m, width_m = CAR_LENGTHS_M[thing.model], CAR_WIDTHS_M[thing.model]
        return Box('car', x_m, y_m, length_m, width_m, thing.height_m)
    if thing.kind == 'cyclist':
        return Box('bicyclist', x_m, y_m, 1.7, 0.55, thing.height_m)
    label, radius_m = {
        'person': ('pedestrian', 0.28),
        'tree': ('tree', 0.16),
        'lamp': ('pole', 0.09),
        'sign': ('pole', 0.04),
    }[thing.kind]
    return Cylinder(label, x_m, y_m, radius_m, thing.height_m)
