"""Whether masks become metres, and the outputs that planners read come often enough."""

from __future__ import annotations

from collections.abc import Mapping

from espnet_ros.config import DiagnosticsSettings
from espnet_ros.monitoring.camera_record import CameraSnapshot
from espnet_ros.monitoring.health import diagnose_topic, Level, NodeHealth, number, Status

WRONG_SIDE = 'wrong_side_of_horizon_percent'
"""Key of the share of road and sky that the pose of the camera contradicts."""

KNOWN = 'known_ground_percent'
"""Key of the share of the ground within reach that the last mask tells something of."""

_MUCH_WRONG_PERCENT = 7.0


def diagnose_ground(
    health: NodeHealth,
    camera: CameraSnapshot,
    settings: DiagnosticsSettings,
    facts: Mapping[str, str],
) -> Status:
    """
    Diagnose whether the masks of a camera become metres, often enough and until now.

    :param facts: what else is shown, by key
    """
    values = {
        'rate_hz': number(camera.output_rate_hz),
        'min_rate_hz': number(settings.min_rate_hz or None),
        'frames_published': str(camera.frames_published),
        **facts,
    }
    if not health.is_working:
        level = Level.ERROR if health.failure else Level.WARN
        return Status('ground', level, health.failure or health.state, values)
    failure = camera.failure
    if failure is not None and failure.is_latest:
        return Status('ground', Level.ERROR, failure.reason, values)
    level, message = _diagnose_rate(camera, settings, 'mask', 'mask became metres')
    if level is Level.OK and failure is not None:
        level, message = Level.WARN, failure.reason
    elif level is Level.OK and float(facts.get(WRONG_SIDE, 0)) > _MUCH_WRONG_PERCENT:
        level = Level.WARN
        message = (
            f'{facts[WRONG_SIDE]} % of road and sky are on the wrong side of the horizon: measure '
            'the pitch of the camera'
        )
    elif level is Level.OK and camera.frames_published and not float(facts.get(KNOWN, 100)):
        level, message = Level.WARN, 'the last mask tells nothing of the ground: all is unknown'
    elif level is Level.OK and facts.get('sees_all_ranges') == 'false':
        level = Level.WARN
        message = 'the camera sees no ground at scan.range_max_m, so free ranges are unknown'
    elif level is Level.OK and camera.frames_published:
        message = 'masks become metres'
    return Status('ground', level, message, values)


def diagnose_ground_output(
    health: NodeHealth,
    snapshot: CameraSnapshot,
    settings: DiagnosticsSettings,
    ground: Status,
    topic: str,
    *,
    is_wanted: bool,
) -> Status:
    """
    Diagnose one output by its own age and rate.

    :param snapshot: of the output's messages
    :param ground: of its camera, or the best of all cameras; it tells of an output without reader
    :param is_wanted: whether it has a reader
    """
    level, message = ground.level, ground.message
    if not health.is_working:
        pass
    elif not is_wanted:
        if level is Level.OK:
            message = 'no subscriber'
    elif snapshot.failure is not None and snapshot.failure.is_latest:
        level, message = Level.ERROR, snapshot.failure.reason
    else:
        level, message = _diagnose_rate(snapshot, settings, 'message', 'message')
        if level is Level.OK and snapshot.failure is not None:
            level, message = Level.WARN, snapshot.failure.reason
        if ground.level > level:
            level, message = ground.level, ground.message
    return diagnose_topic(Status('', level, message, {}), snapshot, settings, topic)


def _diagnose_rate(
    record: CameraSnapshot, settings: DiagnosticsSettings, noun: str, event: str
) -> tuple[Level, str]:
    """
    Diagnose whether something happens often enough, and happened lately.

    :param noun: what is counted, for the message
    :param event: what happens, for the message
    """
    timeout_s, lowest_hz = settings.image_timeout_s, settings.min_rate_hz
    if record.idle_s > timeout_s:
        level = Level.ERROR if record.idle_s > 2 * timeout_s else Level.WARN
        return level, f'no {event} for {record.idle_s:.1f} s'
    rate_hz = record.output_rate_hz
    if rate_hz is not None and rate_hz < lowest_hz:
        level = Level.ERROR if rate_hz < lowest_hz / 2 else Level.WARN
        return level, f'{rate_hz:.2f} {noun}s per second, expected {lowest_hz:g}'
    return Level.OK, f'{noun}s are published' if record.frames_published else f'no {noun} yet'
