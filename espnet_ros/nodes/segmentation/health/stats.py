"""The statistics message."""

from __future__ import annotations

from collections.abc import Mapping
import math

from espnet_ros.monitoring.camera_record import CameraSnapshot, STAGES
from espnet_ros.msg import InferenceStats
from std_msgs.msg import Header


def make_stats(
    header: Header,
    camera: CameraSnapshot,
    durations_s: Mapping[str, float],
    batch_size: int,
    *,
    power_w: float | None = None,
    frame_energy_j: float | None = None,
) -> InferenceStats:
    """
    Return the message of one frame; runtime and classes are left to the caller.

    :param durations_s: by stage; one that is missing is not known
    :param power_w: mean of the last seconds, or None
    """
    stats = InferenceStats(
        header=header,
        camera=camera.name,
        batch_size=batch_size,
        input_rate_hz=nan_if_unknown(camera.input_rate_hz),
        output_rate_hz=nan_if_unknown(camera.output_rate_hz),
        frames_received=camera.frames_received,
        frames_dropped=camera.frames_dropped,
        frames_failed=camera.frames_failed,
        frames_published=camera.frames_published,
        power_w=nan_if_unknown(power_w),
        energy_j=nan_if_unknown(frame_energy_j),
    )
    for stage in STAGES:
        setattr(stats, f'{stage}_s', nan_if_unknown(durations_s.get(stage)))
    return stats


def nan_if_unknown(value: float | None) -> float:
    """Return a value as messages say it, in which NaN is what is not known."""
    return math.nan if value is None else float(value)
