"""From the records of a camera and of the machine to the numbers of the page."""

from __future__ import annotations

from espnet_ros.monitoring.camera_record import CameraSnapshot
from espnet_ros.monitoring.power_health import PowerSnapshot
from espnet_ros.web.records import Sample


def make_sample(camera: CameraSnapshot, power: PowerSnapshot | None) -> Sample:
    """
    Return the numbers of a moment.

    :param camera: with percentiles
    :param power: None where nothing reads it
    """
    device = None if power is None else power.device
    reading = None if power is None else power.reading
    throttling = None if device is None else device.throttling
    return Sample(
        masks_hz=camera.output_rate_hz,
        images_hz=camera.input_rate_hz,
        latency_p50_ms=_milliseconds(camera.median_s.get('latency')),
        latency_p99_ms=_milliseconds(camera.p99_s.get('latency')),
        dropped=camera.frames_dropped,
        power_w=None if power is None else power.mean_w,
        frame_energy_j=None if power is None else power.frame_energy_j,
        temperature_c=None if device is None else device.hottest_c,
        throttling=None if throttling is None else ', '.join(throttling),
        power_scope='' if reading is None or reading.total_w is None else reading.scope,
    )


def _milliseconds(duration_s: float | None) -> float | None:
    return None if duration_s is None else 1e3 * duration_s
