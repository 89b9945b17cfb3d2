"""What a power sensor is, and what it reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
import time

KINDS = ('jetson', 'tegrastats', 'nvml', 'rapl', 'amdgpu', 'battery')
"""Every kind of sensor, in the order in which ``auto`` looks for them."""


@dataclass(frozen=True)
class RailReading:
    """
    The power of one rail, domain or device.

    :param name: as the board's makers or the driver call it, for example ``VDD_GPU_SOC``
    :param power_w: in watts, or None where it could not be read; a rail that is switched
        off reads 0 or slightly less
    :param reason: why it could not be read; empty where it could
    """

    name: str
    power_w: float | None
    reason: str = ''


@dataclass(frozen=True)
class PowerReading:
    """
    What a power sensor read at one time.

    :param time_s: when, by the monotonic clock
    :param sensor: kind of sensor, for example ``jetson``; ``none`` where there is none
    :param scope: what the total is the power of: ``board``, ``module``, ``gpu``, ``cpu``,
        ``cpu+gpu``, ``system`` or ``none``
    :param source: which rails form the total, for example ``VDD_GPU_SOC+VDD_CPU_CV+VIN_SYS_5V0``
    :param total_w: in watts, or None where it is not known; never part of a sum
    :param rails: every rail, those that are part of another one included
    :param energy_j: what the hardware counted since the sensor was opened, in joules, or
        None where it does not count
    :param reason: why the total is not known and what to do; empty where it is
    :param module_w: power of the computer module alone, where the total is more than that
    """

    time_s: float
    sensor: str
    scope: str
    source: str
    total_w: float | None
    rails: tuple[RailReading, ...] = ()
    energy_j: float | None = None
    reason: str = ''
    module_w: float | None = None


class PowerSensor(ABC):
    """
    Reads power.

    :meth:`read` never raises for what a machine may do: what cannot be read is None in the
    reading, with the reason. It may block for a second where the hardware is slow, so it is
    called from a thread of its own, one at a time.
    """

    kind: str
    scope: str

    @abstractmethod
    def read(self) -> PowerReading:
        """Return what the sensor reads now."""

    def problem(self) -> str:
        """Return why it cannot tell the total; empty where it can."""
        return self.read().reason

    def close(self) -> None:  # noqa: B027  most hold nothing
        """Free what the sensor holds."""


class NoSensor(PowerSensor):
    """
    Stands for a machine without a sensor: every reading is unavailable.

    :param reason: why there is none, and what to do
    """

    kind = 'none'
    scope = 'none'

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def read(self) -> PowerReading:
        """Return a reading that says why there is none."""
        return PowerReading(time.monotonic(), self.kind, self.scope, '', None, reason=self.reason)


def add_up(rails: tuple[RailReading, ...]) -> tuple[float | None, str]:
    """Return the sum of rails in watts, or None and the reason where one is not known."""
    missing = [f'{rail.name} ({rail.reason})' for rail in rails if rail.power_w is None]
    if missing or not rails:
        return None, ', '.join(missing) or 'no rails'
    return sum(rail.power_w for rail in rails if rail.power_w is not None), ''
