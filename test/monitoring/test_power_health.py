"""What power and the machine's state mean: levels, words, and nothing invented."""

from __future__ import annotations

from dataclasses import replace

from espnet_ros.config import PowerSettings
from espnet_ros.monitoring.health import Level
from espnet_ros.monitoring.power_health import diagnose_device, diagnose_power, PowerSnapshot
from espnet_ros.telemetry.device_state import DeviceState
from espnet_ros.telemetry.file_tree import Quantity
from espnet_ros.telemetry.power_sensor import PowerReading, RailReading
import pytest

UNKNOWN = Quantity(None, 'not there')
DEVICE = DeviceState(
    cpu_load_percent=Quantity(40.0),
    core_loads_percent={'cpu0': 40.0},
    cpu_clock_hz=Quantity(1.5e9),
    gpu_load_percent=Quantity(87.5),
    gpu_clock_hz=Quantity(918e6),
    gpu_max_clock_hz=Quantity(1020e6),
    gpu_clocks_locked=False,
    memory_used_bytes=Quantity(2e9),
    memory_total_bytes=Quantity(8e9),
    temperatures_c={'cpu-thermal': 48.5, 'tj-thermal': 49.2},
    throttling=(),
    over_current_events={'oc3': 14},
)
BARE = DeviceState(UNKNOWN, {}, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, None, UNKNOWN, UNKNOWN)
READING = PowerReading(
    1.0,
    'jetson',
    'module',
    'VDD_IN',
    9.25,
    (RailReading('VDD_IN', 9.25), RailReading('VDD_SOC', None, 'x')),
)
GOOD = PowerSnapshot('Jetson Orin Nano 8GB', READING, 0.2, 9.0, 120.0, 0.45, 0.001, DEVICE)
NO_READING = PowerReading(1.0, 'none', 'none', '', None, reason='no power sensor was found')
NO_SENSOR = PowerSnapshot(None, NO_READING, 0.2, None, None, None, 0.0, BARE)


def test_power_is_told_with_its_parts() -> None:
    status = diagnose_power(GOOD, PowerSettings(), 'active')
    assert (status.level, status.message) == (Level.OK, '9.25 W (module)')
    assert status.values['power_total_w'] == '9.250'
    assert status.values['rail_VDD_IN_w'] == '9.250'
    assert status.values['rail_VDD_SOC_w'] == 'unavailable'
    assert status.values['energy_per_frame_j'] == '0.450'
    assert float(status.values['frames_per_joule']) == pytest.approx(1 / 0.45, abs=1e-3)
    assert status.values['budget_w'] == 'unavailable'


@pytest.mark.parametrize(
    ('mean_w', 'level'), [(9.9, Level.OK), (10.1, Level.WARN), (12.6, Level.ERROR)]
)
def test_budget_warns_and_then_is_an_error(mean_w: float, level: Level) -> None:
    snapshot = replace(GOOD, mean_w=mean_w)
    status = diagnose_power(snapshot, PowerSettings(budget_w=10.0), 'active')
    assert status.level is level
    assert ('expected 10 or less' in status.message) == (level is not Level.OK)


def test_machine_without_a_sensor_is_in_order_and_shows_no_zero() -> None:
    for status in (
        diagnose_power(NO_SENSOR, PowerSettings(), 'active'),
        diagnose_device(NO_SENSOR, PowerSettings(), 'active'),
    ):
        assert status.level is Level.OK
        numbers = {
            k: v
            for k, v in status.values.items()
            if k.endswith(('_w', '_j', 'percent', '_c', 'mhz'))
        }
        numbers.pop('sampling_core_percent', None)
        numbers.pop('max_temperature_c', None)
        assert set(numbers.values()) == {'unavailable'}


@pytest.mark.parametrize(
    'settings', [PowerSettings(budget_w=10.0), PowerSettings(sensor='jetson')]
)
def test_sensor_that_somebody_counts_on_and_is_missing_warns(settings: PowerSettings) -> None:
    status = diagnose_power(NO_SENSOR, settings, 'active')
    assert status.level is Level.WARN
    assert 'no power sensor was found' in status.message


def test_sensor_that_answers_no_more_warns() -> None:
    status = diagnose_power(replace(GOOD, age_s=7.0), PowerSettings(), 'active')
    assert (status.level, status.message) == (Level.WARN, 'no reading for 7.0 s')


def test_shedding_is_told() -> None:
    status = diagnose_power(replace(GOOD, shed_rate_hz=12.8), PowerSettings(), 'active')
    assert status.level is Level.WARN
    assert 'held below 12.80 Hz' in status.message
    assert status.values['shed_rate_hz'] == '12.80'


def test_device_is_told_with_units_in_the_keys() -> None:
    status = diagnose_device(GOOD, PowerSettings(), 'active')
    assert status.level is Level.OK
    expected = {
        'gpu_load_percent': '87.5',
        'gpu_clock_mhz': '918.0',
        'memory_used_percent': '25.0',
        'temperature_max_c': '49.2',
        'temperature_cpu-thermal_c': '48.5',
        'throttling': 'none',
        'over_current_oc3_events': '14',
        'power_mode': 'unavailable',
    }
    assert expected.items() <= status.values.items()


@pytest.mark.parametrize(
    ('temperature_c', 'throttling', 'level'),
    [
        (89.0, (), Level.OK),
        (91.0, (), Level.WARN),
        (101.0, (), Level.ERROR),
        (91.0, ('gpu-throttle-alert',), Level.ERROR),
        (70.0, ('gpu-throttle-alert',), Level.WARN),
    ],
)
def test_heat_and_throttling(
    temperature_c: float, throttling: tuple[str, ...], level: Level
) -> None:
    device = replace(DEVICE, temperatures_c={'tj-thermal': temperature_c}, throttling=throttling)
    status = diagnose_device(replace(GOOD, device=device), PowerSettings(), 'active')
    assert status.level is level


def test_over_current_events_of_the_last_seconds_warn() -> None:
    status = diagnose_device(
        replace(GOOD, recent_over_current=('oc3',)), PowerSettings(), 'active'
    )
    assert status.level is Level.WARN
    assert 'oc3' in status.message


def test_node_that_is_not_configured_reads_nothing() -> None:
    for judge in (diagnose_power, diagnose_device):
        status = judge(None, PowerSettings(), 'unconfigured')
        assert (status.level, status.message) == (Level.OK, 'not read while unconfigured')


def test_nearest_limit_is_the_load() -> None:
    settings = PowerSettings(budget_w=10.0, max_temperature_c=90.0)
    assert GOOD.load(settings) == pytest.approx(0.9)
    assert GOOD.load(PowerSettings(max_temperature_c=0.0)) is None
    assert NO_SENSOR.load(settings) is None
