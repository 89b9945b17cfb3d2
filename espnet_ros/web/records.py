"""What the live view is given: frames, numbers, and the ground as seen from above."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from espnet_ros.labels import LabelSet
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class LiveFrame:
    """
    An image and its mask, as somebody may look at them.

    :param picture: returns the image, uint8, (H, W, 3), and its encoding, bgr8 or rgb8; is called
        only when somebody looks, from another thread
    :param labels: uint8, (H, W), class ids; of any size
    :param label_set: what the ids mean
    :param unlabelled_id: id of pixels without a label
    :param stamp_s: of the image, seconds since 1970; None where it has none
    :param confidence: uint8, (H, W), 0 to 255, or None where it was not requested
    """

    picture: Callable[[], tuple[NDArray[np.uint8], str]]
    labels: NDArray[np.uint8]
    label_set: LabelSet
    unlabelled_id: int
    stamp_s: float | None = None
    confidence: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Sample:
    """
    The numbers of a camera and its machine at one moment; what is not known is None.

    :param latency_p50_ms: image received to mask published, median
    :param latency_p99_ms: the same, 99th percentile
    :param power_w: mean power of the last seconds
    :param temperature_c: of the hottest part
    :param throttling: what slows the machine down, in words; empty for nothing
    :param power_scope: what the power is of, as board, cpu or gpu
    """

    masks_hz: float | None = None
    images_hz: float | None = None
    latency_p50_ms: float | None = None
    latency_p99_ms: float | None = None
    dropped: int | None = None
    power_w: float | None = None
    frame_energy_j: float | None = None
    temperature_c: float | None = None
    throttling: str | None = None
    power_scope: str = ''


@dataclass(frozen=True)
class Obstacle:
    """
    A thing that stands on the ground.

    :param x_m: metres ahead
    :param y_m: metres to the left
    """

    x_m: float
    y_m: float
    class_id: int


@dataclass(frozen=True)
class Ground:
    """
    What planners get, seen from above: x is ahead, y to the left, in metres.

    :param outline: corners of the ground that is free
    :param hits: where the ranges of the scan end
    :param obstacles: things with their class
    :param frame_id: frame of the coordinates
    """

    outline: tuple[tuple[float, float], ...] = ()
    hits: tuple[tuple[float, float], ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    range_m: float = 20.0
    frame_id: str = ''
