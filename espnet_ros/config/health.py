"""When the nodes warn, and what power is read from."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.settings import setting

POWER_SENSORS = ('auto', 'jetson', 'tegrastats', 'nvml', 'rapl', 'amdgpu', 'battery', 'none')


@dataclass(frozen=True)
class DiagnosticsSettings:
    """When /diagnostics warns."""

    min_rate_hz: float = setting(
        1.0,
        'Output rate below which a camera warns; below half of it is an error. 0 is off.',
        minimum=0.0,
    )
    max_latency_ms: float = setting(
        1000.0,
        'Time from image received to mask published above which it warns; above twice '
        'that is an error. 0 is off.',
        minimum=0.0,
    )
    max_age_ms: float = setting(
        2000.0,
        "Time from the image's stamp to the mask published above which it warns; above "
        'twice that is an error. 0 is off.',
        minimum=0.0,
    )
    image_timeout_s: float = setting(
        1.0,
        'Time without an image after which the input warns; after twice that is an error.',
        minimum=0.01,
    )


@dataclass(frozen=True)
class PowerSettings:
    """What the power and the state of the machine are read from, and what they may be."""

    sensor: str = setting(
        'auto',
        'Sensor that the power is read from; auto takes the one that covers most of the '
        'machine, none reads nothing.',
        choices=POWER_SENSORS,
        read_only=True,
    )
    rate_hz: float = setting(
        2.0,
        'Readings per second; Jetson boards have two new values per second.',
        minimum=0.1,
        maximum=100.0,
        read_only=True,
    )
    budget_w: float = setting(
        0.0,
        'Mean power of the last seconds in watts above which it warns; above 1.25 times that '
        'is an error. 0 is off.',
        minimum=0.0,
    )
    max_temperature_c: float = setting(
        90.0,
        'Temperature in degrees Celsius of the hottest part above which it warns; 10 degrees '
        'more is an error. 0 is off.',
        minimum=0.0,
        maximum=150.0,
    )
    shed_load: bool = setting(
        False,
        'Lower the rate of inference step by step while power or temperature are above their '
        'limits, and raise it again when they are well below.',
    )
