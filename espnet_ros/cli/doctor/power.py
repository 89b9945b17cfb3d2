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
    checks = []
    if usable:
        checks.append(Check('power', Status.OK, f'can be read from {", ".join(usable)}'))
    for problem in fixable:
        found, _, fix = problem.partition('; ')
        status = Status.ABSENT if usable else Status.WARN
        checks.append(Check('power', status, found, fix or 'see espnet-ros power'))
    if checks:
        return checks
    return [Check('power', Status.ABSENT, 'no sensor; espnet-ros power shows why')]
