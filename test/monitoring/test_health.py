"""Levels and words, over every state of the node and its cameras."""

from dataclasses import replace

from espnet_ros.config import DiagnosticsSettings
from espnet_ros.monitoring.camera_record import CameraRecord, CameraSnapshot, Failure
from espnet_ros.monitoring.health import (
    diagnose_input,
    diagnose_latency,
    diagnose_model,
    diagnose_output,
    diagnose_topic,
    Level,
    NodeHealth,
    number,
)
from espnet_ros.monitoring.stamp_record import StampFault, StampSnapshot
import pytest

OK, WARN, ERROR = Level.OK, Level.WARN, Level.ERROR
WORKING = NodeHealth('active')
SETTINGS = DiagnosticsSettings()
NEW = CameraRecord('', 0.0).snapshot(0.0)
TIMES = dict.fromkeys(NEW.median_s, 0.01)
HEALTHY = replace(
    NEW,
    image='bgr8 32x16',
    frames_received=9,
    frames_published=9,
    input_rate_hz=10.0,
    output_rate_hz=10.0,
    stamp_rate_hz=10.0,
    waited_s=0.1,
    idle_s=0.1,
    median_s=TIMES,
    p99_s=TIMES,
)


def input_of(camera: CameraSnapshot, node=WORKING, publishers=1, **facts):
    return diagnose_input(node, camera, SETTINGS, '/image_raw', publishers, **facts)


def output_of(
    camera: CameraSnapshot, node=WORKING, settings=SETTINGS, max_rate_hz=0.0, publishers=1
):
    return diagnose_output(node, camera, settings, max_rate_hz, publishers)


def test_a_camera_that_hangs_is_a_warning():
    record = CameraRecord('', 0.0)
    for second in range(8):
        record.received(float(second), 'bgr8 4x4', replaced=False, sample=b'same')
    status = input_of(record.snapshot(7.0))
    assert status.level is Level.WARN
    assert 'the same to the byte for 7 s' in status.message
    record.received(8.0, 'bgr8 4x4', replaced=False, sample=b'others')
    assert input_of(record.snapshot(8.0)).level is Level.OK


def test_masks_of_another_node_on_the_topic_are_a_warning():
    status = output_of(HEALTHY, publishers=2)
    assert status.level is Level.WARN
    assert 'found 2: another node of this name' in status.message
    assert output_of(HEALTHY).level is Level.OK


@pytest.mark.parametrize(
    ('waited_s', 'level', 'words'),
    [
        (0.1, OK, 'images arrive'),
        (0.9, OK, 'images arrive'),
        (1.5, WARN, 'no image for 1.5 s on /image_raw, which has 1 publisher'),
        (2.1, ERROR, 'no image for 2.1 s'),
    ],
)
def test_a_camera_that_stops_is_a_warning_then_an_error(waited_s, level, words):
    status = input_of(replace(HEALTHY, waited_s=waited_s))
    assert status.level is level
    assert words in status.message


def test_the_first_image_is_waited_for_before_anything_is_wrong():
    status = input_of(NEW, publishers=0)
    assert (status.level, status.message) == (OK, 'waiting for the first image on /image_raw')
    assert status.values['since_last_image_s'] == status.values['image'] == 'unavailable'
    assert input_of(replace(NEW, waited_s=5.0), publishers=0).level is ERROR


@pytest.mark.parametrize(('is_latest', 'level'), [(True, ERROR), (False, WARN)])
def test_images_that_cannot_be_used_are_told_with_their_reason(is_latest, level):
    broken = replace(HEALTHY, failure=Failure('input', 'cut off', is_latest))
    assert (input_of(broken).level, input_of(broken).message) == (level, 'cut off')
    assert output_of(broken).message == 'masks are published'


@pytest.mark.parametrize(
    ('fault', 'words'),
    [
        (StampFault.ZERO, 'images on /image_raw have no stamp (0)'),
        (StampFault.REPEATED, 'images on /image_raw repeat the stamp'),
        (StampFault.AHEAD, 'on /image_raw are stamped 10.000 s ahead of the clock'),
        (StampFault.BACK, 'stamps on /image_raw went back by 10.000 s'),
    ],
)
def test_stamps_that_tell_no_time_are_a_warning_with_their_cause(fault, words):
    stamps = StampSnapshot(dict.fromkeys(StampFault, 0) | {fault: 5}, fault, 10.0)
    status = input_of(replace(HEALTHY, stamps=stamps))
    assert status.level is WARN
    assert words in status.message
    assert status.values[f'stamps_{fault.value}'] == '5'
    starved = replace(HEALTHY, stamps=stamps, waited_s=9.0)
    assert 'no image for' in input_of(starved).message, 'the worse comes first'


def test_stamps_that_nobody_looked_at_are_not_counted_as_good():
    assert input_of(HEALTHY).values['stamps_zero'] == 'unavailable'


def test_simulated_time_that_does_not_begin_is_a_warning():
    for camera in (HEALTHY, NEW):
        status = input_of(camera, waits_for_clock=True)
        assert (status.level, 'nothing came on /clock' in status.message) == (WARN, True)


def test_an_age_that_is_not_known_is_not_in_time():
    ageless = replace(HEALTHY, median_s=TIMES | {'age': None})
    status = diagnose_latency(WORKING, ageless, SETTINGS)
    assert (status.level, 'not known, see input' in status.message) == (OK, True)
    off = DiagnosticsSettings(max_age_ms=0.0)
    assert diagnose_latency(WORKING, ageless, off).message == 'in time'


@pytest.mark.parametrize(
    ('rate_hz', 'level'), [(10.0, OK), (1.0, OK), (0.9, WARN), (0.5, WARN), (0.4, ERROR)]
)
def test_a_low_rate_is_a_warning_then_an_error(rate_hz, level):
    assert output_of(replace(HEALTHY, output_rate_hz=rate_hz)).level is level


@pytest.mark.parametrize(('idle_s', 'level'), [(0.0, OK), (0.9, OK), (1.5, WARN), (3.0, ERROR)])
def test_a_node_that_never_published_is_judged_by_its_wait(idle_s, level):
    status = output_of(replace(NEW, idle_s=idle_s))
    assert status.level is level
    assert status.values['mask_rate_hz'] == 'unavailable'


def test_a_rate_limit_lowers_what_is_expected():
    slow = replace(HEALTHY, output_rate_hz=0.19)
    assert output_of(slow).level is ERROR
    assert output_of(slow, max_rate_hz=0.2).level is OK


def test_no_lowest_rate_means_no_warning():
    status = output_of(replace(NEW, idle_s=99.0), settings=DiagnosticsSettings(min_rate_hz=0.0))
    assert status.level is OK
    assert status.values['min_rate_hz'] == 'unavailable'


@pytest.mark.parametrize(('is_latest', 'level'), [(True, ERROR), (False, WARN)])
def test_a_failing_network_is_told_with_its_reason(is_latest, level):
    status = output_of(replace(HEALTHY, failure=Failure('output', 'out of memory', is_latest)))
    assert (status.level, status.message) == (level, 'out of memory')
    assert status.values['last_error'] == 'out of memory'


@pytest.mark.parametrize('stage', ['latency', 'age'])
@pytest.mark.parametrize(('share', 'level'), [(0.9, OK), (1.5, WARN), (2.5, ERROR)])
def test_late_masks_are_a_warning_then_an_error(stage, share, level):
    limit_ms = {'latency': SETTINGS.max_latency_ms, 'age': SETTINGS.max_age_ms}[stage]
    slow = replace(HEALTHY, median_s=TIMES | {stage: share * limit_ms / 1e3})
    status = diagnose_latency(WORKING, slow, SETTINGS)
    assert status.level is level
    assert status.message.startswith('in time' if level is OK else stage)


def test_limits_of_zero_are_off():
    slow = replace(HEALTHY, median_s=dict.fromkeys(TIMES, 99.0))
    off = DiagnosticsSettings(max_latency_ms=0.0, max_age_ms=0.0)
    assert diagnose_latency(WORKING, slow, off).level is OK


def test_what_is_not_known_is_unavailable_and_never_zero():
    unknown = replace(HEALTHY, median_s=TIMES | {'age': None}, p99_s=TIMES | {'age': float('nan')})
    values = diagnose_latency(WORKING, unknown, SETTINGS).values
    assert values['age_ms_p50'] == values['age_ms_p99'] == 'unavailable'
    assert values['latency_ms_p50'] == '10.00'
    assert number(0.0) == '0.00'


@pytest.mark.parametrize(
    ('node', 'level', 'words'),
    [
        (NodeHealth('active'), OK, 'running'),
        (NodeHealth('inactive'), WARN, 'inactive; ros2 lifecycle set it to activate'),
        (NodeHealth('unconfigured'), WARN, 'to configure'),
        (NodeHealth('configuring'), WARN, 'configuring'),
        (NodeHealth('unconfigured', failure='no such model'), ERROR, 'no such model'),
    ],
)
def test_a_node_that_does_not_run_is_not_green(node, level, words):
    status = diagnose_model(node)
    assert status.level is level
    assert words in status.message
    for judged in (
        input_of(NEW, node),
        output_of(NEW, node),
        diagnose_latency(node, NEW, SETTINGS),
    ):
        assert judged.level is level


def test_a_node_that_was_disabled_is_green_and_says_so():
    resting = NodeHealth('active', is_enabled=False)
    starved = replace(HEALTHY, waited_s=99.0, output_rate_hz=0.01)
    for status in (
        input_of(starved, resting),
        output_of(starved, resting),
        diagnose_latency(resting, starved, SETTINGS),
    ):
        assert (status.level, status.message) == (OK, 'disabled by ~/enable')
    assert diagnose_model(resting).values['enabled'] == 'false'


def test_the_topic_has_the_keys_of_greenwave_monitor():
    output = output_of(HEALTHY)
    status = diagnose_topic(output, HEALTHY, SETTINGS, '/segmentation/mask')
    assert status.name == '/segmentation/mask'
    assert dict(status.values) == {
        'frame_rate_node': '10.00',
        'frame_rate_msg': '10.00',
        'current_delay_from_realtime_ms': '10.00',
        'expected_frequency': '1.00',
        'tolerance': '0',
    }


@pytest.mark.parametrize(
    ('waited_s', 'level'), [(2.9, OK), (3.1, WARN), (5.9, WARN), (6.1, ERROR)]
)
def test_a_camera_has_the_time_that_its_user_gives_it(waited_s, level):
    settings = DiagnosticsSettings(image_timeout_s=3.0)
    starved = replace(HEALTHY, waited_s=waited_s)
    assert diagnose_input(WORKING, starved, settings, '/image_raw', 1).level is level


@pytest.mark.parametrize(
    ('publishers', 'words'), [(0, 'no publishers'), (1, '1 publisher'), (2, '2 publishers')]
)
def test_a_silent_topic_names_who_could_publish_it(publishers, words):
    message = input_of(replace(HEALTHY, waited_s=9.0), publishers=publishers).message
    assert message.endswith(f'which has {words}')


def test_the_time_since_the_last_image_is_not_known_before_the_first():
    key = 'since_last_image_s'
    assert input_of(NEW).values[key] == 'unavailable'
    assert input_of(replace(HEALTHY, waited_s=0.25)).values[key] == '0.25'


def test_a_rate_that_is_too_low_is_told_with_the_one_that_is_expected():
    slow = replace(HEALTHY, output_rate_hz=2.0)
    status = output_of(slow, settings=DiagnosticsSettings(min_rate_hz=2.5))
    assert status.message == '2.00 masks per second, expected 2.5'
    assert output_of(HEALTHY).message == 'masks are published'
    assert output_of(NEW).message == 'no mask yet'


def test_late_masks_are_told_in_the_milliseconds_that_they_took():
    slow = replace(HEALTHY, median_s=TIMES | {'latency': 0.25})
    status = diagnose_latency(WORKING, slow, DiagnosticsSettings(max_latency_ms=200.0))
    assert status.message == 'latency 250 ms, expected 200 or less'
    assert status.values['max_latency_ms'] == '200.00'


def test_limits_are_shown_as_they_are_and_unavailable_where_they_are_off():
    limits = DiagnosticsSettings(max_latency_ms=200.0, max_age_ms=0.0)
    values = diagnose_latency(WORKING, HEALTHY, limits).values
    assert (values['max_latency_ms'], values['max_age_ms']) == ('200.00', 'unavailable')
    limits = DiagnosticsSettings(max_latency_ms=0.0, max_age_ms=500.0)
    values = diagnose_latency(WORKING, HEALTHY, limits).values
    assert (values['max_latency_ms'], values['max_age_ms']) == ('unavailable', '500.00')


def test_a_late_age_does_not_hide_a_later_latency():
    both = replace(HEALTHY, median_s=TIMES | {'latency': 0.5, 'age': 0.3})
    limits = DiagnosticsSettings(max_latency_ms=200.0, max_age_ms=200.0)
    status = diagnose_latency(WORKING, both, limits)
    assert (status.level, status.message) == (ERROR, 'latency 500 ms, expected 200 or less')
