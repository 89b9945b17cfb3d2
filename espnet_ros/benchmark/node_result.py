"""What a benchmark of the nodes found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Percentiles:
    """So many percent of the values were at most this; None where there were none."""

    p50: float | None
    p90: float | None
    p99: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> Percentiles:
        """Return those of some values, to two decimals."""
        if not len(values):
            return cls(None, None, None)
        found = np.percentile(np.asarray(values), (50, 90, 99))
        return cls(*(round(float(value), 2) for value in found))


@dataclass(frozen=True)
class Drops:
    """
    What was lost of what was sent, by place.

    :param before_node: sent, but the node did not receive it
    :param in_node: the node gave it up for a newer one, by its own count
    :param failed: the node could not use it, by its own count
    :param after_node: the node published what became of it, but the observer did not receive it
    """

    before_node: int
    in_node: int
    failed: int
    after_node: int


@dataclass(frozen=True)
class Flow:
    """
    What became of what one node was sent: images to masks, or masks to maps.

    Counts are of the whole run, rates and latencies of the time that was measured.

    :param node: segmentation or free_space
    :param camera: its name, empty for the only one or for all together
    :param sent: images or masks that were published to the node
    :param published: masks or maps that the node published
    :param sent_rate_hz: images or masks per second that were published to the node
    :param rate_hz: masks or maps per second that arrived
    :param ratio: of ``rate_hz`` to what the device alone would give, or None
    :param latency_ms: from the publication of the image (of the mask where free_space is alone)
        to the arrival
    """

    node: str
    camera: str
    sent: int
    received: int
    published: int
    arrived: int
    sent_rate_hz: float
    rate_hz: float
    ratio: float | None
    latency_ms: Percentiles
    drops: Drops


@dataclass(frozen=True)
class OutputRate:
    """
    What arrived on a topic beside the masks and maps of the flows.

    :param latency_ms: from the publication of the image to the arrival
    """

    topic: str
    rate_hz: float
    latency_ms: Percentiles


@dataclass(frozen=True)
class ProcessLoad:
    """
    What one process took while it was measured.

    :param core_percent: CPU time of all its threads, in percent of one core
    :param cpu_per_frame_ms: the same for each mask or map that arrived, of all cameras; None
        where none did
    :param memory_mb: resident at the end
    :param memory_growth_mb: since the first minute, or since the start of shorter runs
    """

    name: str
    core_percent: float
    cpu_per_frame_ms: float | None
    memory_mb: float
    memory_growth_mb: float


@dataclass(frozen=True)
class NodeResult:
    """
    What a benchmark of the nodes found; None is not known.

    :param precision: the arithmetic really used
    :param image: encoding and size of what was published to the nodes
    :param camera_rate_hz: images per second and camera that were requested; 0 is on demand
    :param best_rate_hz: masks per second and camera that the device alone would give
    :param stages_ms: medians of the segmentation node's stages, by stage
    :param other_programs_core_percent: CPU time of all other programs, in percent of one core
    :param power_w: mean
    :param energy_per_frame_j: of each mask
    """

    runtime: str | None
    precision: str | None
    device_latency_ms: float | None
    image: str
    camera_rate_hz: float
    measured_s: float
    best_rate_hz: float | None
    flows: tuple[Flow, ...]
    outputs: tuple[OutputRate, ...]
    processes: tuple[ProcessLoad, ...]
    stages_ms: Mapping[str, float | None]
    other_programs_core_percent: float | None
    power_w: float | None
    energy_per_frame_j: float | None
