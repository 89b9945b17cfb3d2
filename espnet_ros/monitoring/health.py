"""
What the state of the node means for its user: levels, words and numbers.

A node that gets no images, is slow or cannot be configured is not green. Numbers are plain,
their unit is in the key, and what is not known is ``unavailable``, never 0. Nothing here
knows ROS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
import math

from espnet_ros.config import DiagnosticsSettings
from espnet_ros.monitoring.camera_record import CameraSnapshot, Failure, STAGES
from espnet_ros.monitoring.stamp_record import StampFault, StampSnapshot

UNAVAILABLE = 'unavailable'
LONGEST_STILL_S = 5.0
NO_CLOCK = (
    'use_sim_time is true, but nothing came on /clock: ages and transforms are not known; start '
    'the simulation or ros2 bag play --clock, or set use_sim_time to false'
)


class Level(IntEnum):
    """The levels of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


@dataclass(frozen=True)
class Status:
    """One status of /diagnostics."""

    name: str
    level: Level
    message: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class NodeHealth:
    """
    The state of the node.

    :param state: of the lifecycle, for example ``active``; ``configuring`` while it does
    :param is_enabled: as ``~/enable`` left it
    :param failure: why it could not be configured or activated, or empty
    :param model: what is known of the model, by key
    """

    state: str
    is_enabled: bool = True
    failure: str = ''
    model: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_working(self) -> bool:
        """Return whether images should become masks."""
        return self.state == 'active' and self.is_enabled


def number(value: float | None, digits: int = 2) -> str:
    return UNAVAILABLE if value is None or math.isnan(value) else f'{value:.{digits}f}'


def milliseconds(duration_s: float | None) -> str:
    return number(None if duration_s is None else duration_s * 1e3)


def diagnose_model(node: NodeHealth) -> Status:
    values = {'state': node.state, 'enabled': str(node.is_enabled).lower(), **node.model}
    if node.failure:
        return Status('model', Level.ERROR, node.failure, values)
    if node.state == 'active':
        return Status('model', Level.OK, 'running', values)
    if node.state in ('unconfigured', 'inactive'):
        transition = {'unconfigured': 'configure', 'inactive': 'activate'}[node.state]
        message = f'{node.state}; ros2 lifecycle set it to {transition}'
        return Status('model', Level.WARN, message, values)
    return Status('model', Level.WARN, node.model.get('engine_build', node.state), values)


def diagnose_input(
    node: NodeHealth,
    camera: CameraSnapshot,
    settings: DiagnosticsSettings,
    topic: str,
    publishers: int,
    *,
    waits_for_clock: bool = False,
) -> Status:
    """
    Diagnose whether images come and can be used.

    :param waits_for_clock: whether simulated time is used and has not begun
    """
    values = {
        'topic': topic,
        'publishers': str(publishers),
        'image': camera.image or UNAVAILABLE,
        'image_rate_hz': number(camera.input_rate_hz),
        'since_last_image_s': number(camera.waited_s if camera.frames_received else None),
        'frames_received': str(camera.frames_received),
        'frames_dropped': str(camera.frames_dropped),
        'frames_failed': str(camera.frames_failed),
    }
    counts = camera.stamps.counts
    values |= {f'stamps_{f.value}': str(counts.get(f, UNAVAILABLE)) for f in StampFault}
    level, message = idle_level(node)
    if node.is_working:
        timeout_s = settings.image_timeout_s
        level = _level(camera.waited_s, timeout_s, 2 * timeout_s)
        sources = f'{publishers or "no"} publisher{"" if publishers == 1 else "s"}'
        message = f'no image for {camera.waited_s:.1f} s on {topic}, which has {sources}'
        if level is Level.OK:
            level, message = failure_level(camera.failure, 'input') or (Level.OK, 'images arrive')
        if not camera.frames_received and level is Level.OK:
            message = f'waiting for the first image on {topic}'
        if level is Level.OK and camera.still_s > LONGEST_STILL_S:
            level = Level.WARN
            message = f'images on {topic} have been the same to the byte for {camera.still_s:.0f} '
            message += 's: a camera that hangs, a recording of one image, or a still simulation'
        fault = NO_CLOCK if waits_for_clock else describe_stamp_fault(camera.stamps, topic)
        if fault and level is Level.OK:
            level, message = Level.WARN, fault
    return Status('input', level, message, values)


def diagnose_output(
    node: NodeHealth,
    camera: CameraSnapshot,
    settings: DiagnosticsSettings,
    max_rate_hz: float,
    publishers: int = 1,
) -> Status:
    """
    Diagnose whether masks go out often enough.

    :param publishers: how many there are on the topic of the masks, this node's included
    """
    lowest_hz = min(settings.min_rate_hz, 0.9 * max_rate_hz or math.inf)
    values = {
        'mask_rate_hz': number(camera.output_rate_hz),
        'min_rate_hz': number(lowest_hz or None),
        'frames_published': str(camera.frames_published),
        'frames_failed': str(camera.frames_failed),
        'last_error': camera.failure.reason if camera.failure else 'none',
    }
    level, message = idle_level(node)
    if node.is_working:
        rate_hz = camera.output_rate_hz
        if rate_hz is None:  # at most one mask since the start: only time tells
            rate_hz = math.inf if camera.idle_s <= 0 else 1 / camera.idle_s
        level = Level.OK if not lowest_hz else _level(-rate_hz, -lowest_hz, -lowest_hz / 2)
        message = f'{number(camera.output_rate_hz)} masks per second, expected {lowest_hz:g}'
        if level is Level.OK:
            message = 'masks are published' if camera.frames_published else 'no mask yet'
        if level is Level.OK and publishers > 1:
            level = Level.WARN
            message = f'expected one publisher of the masks, found {publishers}: another node of '
            message += 'this name runs, or was killed a moment ago'
        failed = failure_level(camera.failure, 'output')
        if failed and failed[0] >= level:
            level, message = failed
    return Status('output', level, message, values)


def diagnose_latency(
    node: NodeHealth, camera: CameraSnapshot, settings: DiagnosticsSettings
) -> Status:
    values = {
        f'{stage}_ms_{key}': milliseconds(percentiles[stage])
        for stage in STAGES
        for key, percentiles in (('p50', camera.median_s), ('p99', camera.p99_s))
    }
    values['max_latency_ms'] = number(settings.max_latency_ms or None)
    values['max_age_ms'] = number(settings.max_age_ms or None)
    level, message = idle_level(node)
    if node.is_working:
        level, message = Level.OK, 'in time'
        limits_ms = (('latency', settings.max_latency_ms), ('age', settings.max_age_ms))
        for stage, limit_ms in limits_ms:
            median_s = camera.median_s[stage]
            if limit_ms and median_s is not None:
                found = _level(median_s * 1e3, limit_ms, 2 * limit_ms)
                if found > level:
                    level = found
                    message = f'{stage} {median_s * 1e3:.0f} ms, expected {limit_ms:g} or less'
        if camera.median_s['latency'] is None:
            message = 'no mask in the last seconds'
        elif level is Level.OK and settings.max_age_ms and camera.median_s['age'] is None:
            message = 'in time from image to mask; the age of the images is not known, see input'
    return Status('latency', level, message, values)


def diagnose_topic(
    output: Status, camera: CameraSnapshot, settings: DiagnosticsSettings, topic: str
) -> Status:
    """Return the status that greenwave_monitor shows: named by the topic, with its keys."""
    values = {
        'frame_rate_node': number(camera.output_rate_hz),
        'frame_rate_msg': number(camera.stamp_rate_hz),
        'current_delay_from_realtime_ms': milliseconds(camera.median_s['age']),
        'expected_frequency': number(settings.min_rate_hz or None),
        'tolerance': '0',
    }
    return Status(topic, output.level, output.message, values)


def idle_level(node: NodeHealth) -> tuple[Level, str]:
    """Return level and words of a part that does not work, as the node does not."""
    if node.failure:
        return Level.ERROR, 'the node could not be configured; see model'
    if node.state == 'active':
        return Level.OK, 'disabled by ~/enable'
    return Level.WARN, node.state


def failure_level(failure: Failure | None, kind: str) -> tuple[Level, str] | None:
    """Return level and words of a failure, or None where there is none of that kind."""
    if failure is None or failure.kind != kind:
        return None
    return (Level.ERROR if failure.is_latest else Level.WARN), failure.reason


def describe_stamp_fault(stamps: StampSnapshot, topic: str) -> str:
    """Return what is wrong with the stamps of the images and why that may be, or nothing."""
    difference_s = f'{stamps.difference_s:.3f} s'
    return {
        None: '',
        StampFault.ZERO: f'images on {topic} have no stamp (0), so they have no age and no place '
        'in time: let the driver fill header.stamp',
        StampFault.REPEATED: f'images on {topic} repeat the stamp of the one before: let the '
        'driver stamp each image, and only one driver publish it',
        StampFault.AHEAD: f'images on {topic} are stamped {difference_s} ahead of the clock of '
        'this node: synchronise the clocks of both machines, and give use_sim_time to both or '
        'none',
        StampFault.BACK: f'stamps on {topic} went back by {difference_s}: a recording that '
        "starts again, a driver's clock that was set, or two drivers on one topic",
    }[stamps.fault]


def _level(value: float, warn_above: float, error_above: float) -> Level:
    if value > error_above:
        return Level.ERROR
    return Level.WARN if value > warn_above else Level.OK
