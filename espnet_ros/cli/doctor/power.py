"""Checks of the sensors of power and of the state of the machine."""

from __future__ import annotations

from espnet_ros.cli.doctor.check import Check, Status
from espnet_ros.telemetry.discovery import find_sensors
from espnet_ros.telemetry.file_tree import FileTree
from espnet_ros.telemetry.power_sensor import NoSensor


def check_power() -> list[Check]:
    """Look for power sensors; a machine without one segments all the same."""
    usable, fixable = [], []
    for kind, sensor in find_sensors(FileTree()).items():
        try:
            problem = sensor.problem()
        finally:
            sensor.close()
        if not problem:
            usable.append(kind)
        elif not isinstance(sensor, NoSensor):
            fixable.append(problem)
    if usable:
        return [Check('power', Status.OK, f'can be read from {", ".join(usable)}')]
    if fixable:
        found, _, fix = fixable[0].partition('; ')
        return [Check('power', Status.WARN, found, fix or 'see espnet-ros power')]
    return [Check('power', Status.ABSENT, 'no sensor; espnet-ros power tells why')]
