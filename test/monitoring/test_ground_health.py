"""Whether masks become metres: levels and words, over what happens to a camera and an output."""

from dataclasses import replace

from espnet_ros.config import DiagnosticsSettings
from espnet_ros.monitoring.camera_record import CameraRecord, CameraSnapshot, Failure
from espnet_ros.monitoring.ground_health import (
    diagnose_ground,
    diagnose_ground_output,
    KNOWN,
    WRONG_SIDE,
)
from espnet_ros.monitoring.health import Level, NodeHealth, Status
import pytest

OK, WARN, ERROR = Level.OK, Level.WARN, Level.ERROR
WORKING = NodeHealth('active')
SETTINGS = DiagnosticsSettings(min_rate_hz=4.0, image_timeout_s=1.0)
NEW = CameraRecord('', 0.0).snapshot(0.0)
HEALTHY = replace(NEW, frames_published=9, output_rate_hz=10.0, idle_s=0.1)
GROUND = Status('ground', OK, 'masks become metres', {})


def ground_of(camera: CameraSnapshot, node: NodeHealth = WORKING, **facts: str) -> Status:
    return diagnose_ground(node, camera, SETTINGS, facts)


def output_of(
    output: CameraSnapshot, ground: Status = GROUND, is_wanted: bool = True
) -> tuple[Level, str]:
    status = diagnose_ground_output(
        WORKING, output, SETTINGS, ground, '/scan', is_wanted=is_wanted
    )
    assert status.name == '/scan'
    return status.level, status.message


@pytest.mark.parametrize(
    ('changes', 'level', 'words'),
    [
        ({}, OK, 'masks become metres'),
        ({'frames_published': 0, 'output_rate_hz': None}, OK, 'no mask yet'),
        ({'idle_s': 1.5}, WARN, 'no mask became metres for 1.5 s'),
        ({'idle_s': 2.1}, ERROR, 'no mask became metres for 2.1 s'),
        ({'output_rate_hz': 3.0}, WARN, '3.00 masks per second, expected 4'),
        ({'output_rate_hz': 1.9}, ERROR, '1.90 masks per second, expected 4'),
        ({'failure': Failure('input', 'no transform', False)}, WARN, 'no transform'),
        ({'failure': Failure('input', 'no transform', True)}, ERROR, 'no transform'),
    ],
)
def test_masks_that_become_no_metres_are_told(changes, level, words):
    status = ground_of(replace(HEALTHY, **changes))
    assert (status.level, status.message) == (level, words)


def test_a_camera_that_does_not_see_far_enough_is_a_warning():
    assert ground_of(HEALTHY, sees_all_ranges='false').level is WARN
    assert ground_of(HEALTHY, sees_all_ranges='true').level is OK


def test_a_horizon_that_does_not_fit_the_mask_is_a_warning():
    status = ground_of(HEALTHY, **{WRONG_SIDE: '9.00'})
    assert (status.level, 'pitch' in status.message) == (WARN, True)
    assert ground_of(HEALTHY, **{WRONG_SIDE: '5.00'}).level is OK


def test_masks_that_tell_nothing_are_a_warning():
    status = ground_of(HEALTHY, **{KNOWN: '0.00'})
    assert (status.level, 'all is unknown' in status.message) == (WARN, True)
    assert ground_of(HEALTHY, **{KNOWN: '0.50'}).level is OK


def test_a_node_that_does_not_work_says_so_whatever_the_camera_does():
    assert ground_of(HEALTHY, NodeHealth('inactive')).message == 'inactive'
    failed = NodeHealth('unconfigured', failure='no such label set')
    assert (ground_of(HEALTHY, failed).level, ground_of(HEALTHY, failed).message) == (
        ERROR,
        'no such label set',
    )


def test_an_output_is_no_better_than_the_ground_that_it_shows():
    bad = replace(GROUND, level=ERROR, message='it points at the sky')
    assert output_of(HEALTHY) == (OK, 'messages are published')
    assert output_of(HEALTHY, bad) == (ERROR, 'it points at the sky')
    assert output_of(replace(HEALTHY, idle_s=1.5)) == (WARN, 'no message for 1.5 s')


def test_an_output_that_nobody_reads_is_not_missed():
    silent = replace(NEW, idle_s=99.0)
    assert output_of(silent, is_wanted=False) == (OK, 'no subscriber')
    assert output_of(silent)[0] is ERROR
