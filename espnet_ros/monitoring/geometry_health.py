"""Whether masks go out with the geometry of their image: level, words and numbers."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.monitoring.camera_record import Failure
from espnet_ros.monitoring.health import (
    failure_level,
    idle_level,
    Level,
    milliseconds,
    NodeHealth,
    Status,
    UNAVAILABLE,
)


@dataclass(frozen=True)
class GeometrySnapshot:
    """
    The geometry at one moment; what is not known is None.

    :param topic: where the camera_info comes from
    :param was_heard: whether one ever came
    :param found: images that had a camera_info
    :param missed: images that had none
    :param lag_s: how far the camera_info was stamped before its image, the most of the last
        seconds
    :param failure: why the last image that had none had none
    """

    topic: str
    was_heard: bool = False
    found: int = 0
    missed: int = 0
    lag_s: float | None = None
    is_calibrated: bool | None = None
    failure: Failure | None = None


def diagnose_geometry(node: NodeHealth, geometry: GeometrySnapshot) -> Status:
    """Diagnose whether masks go out with the geometry of their image."""
    values = {
        'topic': geometry.topic,
        'camera_info_lag_ms': milliseconds(geometry.lag_s),
        'calibrated': UNAVAILABLE
        if geometry.is_calibrated is None
        else str(geometry.is_calibrated).lower(),
        'masks_with_geometry': str(geometry.found),
        'masks_without_geometry': str(geometry.missed),
    }
    level, message = idle_level(node)
    if node.is_working:
        level, message = failure_level(geometry.failure, 'geometry') or (
            Level.OK,
            _describe(geometry),
        )
    return Status('geometry', level, message, values)


def _describe(geometry: GeometrySnapshot) -> str:
    if not geometry.was_heard:
        return f'no camera_info on {geometry.topic}: masks have no geometry'
    if geometry.lag_s is None:
        return f'camera_info comes on {geometry.topic}; no mask yet'
    message = f'camera_info of each image, from {geometry.topic}'
    if geometry.lag_s:
        message = (
            f'camera_info on {geometry.topic} is stamped up to {geometry.lag_s * 1e3:.1f} ms '
            'before its image'
        )
    return message if geometry.is_calibrated else f'{message}; not calibrated (K is 0)'
