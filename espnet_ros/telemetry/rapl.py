"""
Energy counters of x86 processors (RAPL), as Linux shows them under powercap.

The counters hold microjoules, wrap around, and stand in a power file nowhere: the power is
their difference over the time between two readings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
import re
import time

from espnet_ros.telemetry.file_tree import FileTree, Quantity
from espnet_ros.telemetry.power_sensor import add_up, PowerReading, PowerSensor, RailReading

_COUNTED = re.compile(r'(package-\d+(-die-\d+)?|.*/dram)')
_SHORTEST_S = 0.01
_LONGEST_S = 60.0
_MOST_PLAUSIBLE_W = 5000.0
_ASLEEP_S = 0.1
_PERMISSION_HINT = (
    'only root may read it since Linux 5.10; let users do so with: '
    'sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj (again after each boot)'
)


def asleep_s() -> float:
    """Return for how long the machine has been suspended since it was started, in seconds."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


@dataclass(frozen=True)
class Zone:
    """
    One domain that is counted.

    :param name: ``package-0``, or ``package-0/core`` inside it
    :param counter: file with the microjoules
    :param range_j: where the counter wraps
    """

    name: str
    counter: Path
    range_j: float

    @property
    def is_counted(self) -> bool:
        """Return whether it is part of the total; the others lie inside or around these."""
        return _COUNTED.fullmatch(self.name) is not None


def find_zones(tree: FileTree) -> tuple[Zone, ...]:
    """Return every domain, each once."""
    zones: dict[str, Zone] = {}
    # intel-rapl-mmio counts the same packages again and is left out by the pattern.
    for folder in tree.glob('/sys/class/powercap/intel-rapl:*'):
        name = tree.text(folder / 'name')
        range_j = tree.number(folder / 'max_energy_range_uj', 1e-6).value
        if not name or not range_j:
            continue
        outer = tree.text(folder.with_name(folder.name.rpartition(':')[0]) / 'name')
        is_inner = folder.name.count(':') == 2
        full_name = f'{outer}/{name}' if is_inner and outer else name
        zones.setdefault(full_name, Zone(full_name, folder / 'energy_uj', range_j))
    return tuple(zones.values())


class RaplSensor(PowerSensor):
    """
    Reads the energy counters of the processor packages.

    The total is the packages and, on servers, their memory; cores lie inside a package, and
    ``psys`` may hold more or less than it, so both are told and not added.

    :param asleep: returns how long the machine has been suspended; a counter may start again
        meanwhile, so no power is told across that
    """

    kind = 'rapl'
    scope = 'cpu'

    def __init__(
        self,
        tree: FileTree,
        zones: tuple[Zone, ...],
        clock: Callable[[], float] = time.monotonic,
        asleep: Callable[[], float] = asleep_s,
    ) -> None:
        self._tree = tree
        self._zones = zones
        self._clock = clock
        self._asleep = asleep
        self._sums_j = dict.fromkeys((zone.name for zone in zones), 0.0)
        self._before_s = clock()
        self._asleep_before_s = asleep()
        self._before_j = self._read_counters()

    def problem(self) -> str:
        """Return why the counters cannot be read; empty where they can."""
        reasons = [self._before_j[zone.name].reason for zone in self._zones if zone.is_counted]
        return self._with_hint(', '.join(reason for reason in reasons if reason))

    def read(self) -> PowerReading:
        """Return the mean power since the last reading, or since the sensor was opened."""
        counters_j = self._read_counters()
        now_s, asleep_now_s = self._clock(), self._asleep()
        span_s = now_s - self._before_s
        doubt = self._doubt(span_s, asleep_now_s - self._asleep_before_s)
        rails = tuple(
            self._rail(zone, counters_j[zone.name], span_s, doubt) for zone in self._zones
        )
        if span_s >= _SHORTEST_S:
            self._before_s, self._before_j = now_s, counters_j
            self._asleep_before_s = asleep_now_s
        counted = tuple(
            rail for zone, rail in zip(self._zones, rails, strict=True) if zone.is_counted
        )
        total_w, reason = add_up(counted)
        energy_j = None
        if total_w is not None:
            energy_j = sum(self._sums_j[rail.name] for rail in counted)
        return PowerReading(
            time_s=now_s,
            sensor=self.kind,
            scope=self.scope,
            source='+'.join(rail.name for rail in counted),
            total_w=total_w,
            rails=rails,
            energy_j=energy_j,
            reason=self._with_hint(reason),
        )

    @staticmethod
    def _with_hint(reason: str) -> str:
        return f'{reason}; {_PERMISSION_HINT}' if 'permission denied' in reason else reason

    def _read_counters(self) -> dict[str, Quantity]:
        return {zone.name: self._tree.number(zone.counter, 1e-6) for zone in self._zones}

    @staticmethod
    def _doubt(span_s: float, slept_s: float) -> str:
        """Return why the counters' differences tell no power; empty where they do."""
        if span_s < _SHORTEST_S:
            return 'too soon after the last reading, or the clock stands still'
        if abs(slept_s) > _ASLEEP_S:
            return 'the machine was suspended'
        if span_s > _LONGEST_S:
            return 'too long since the last reading, as the counter may have wrapped twice'
        return ''

    def _rail(self, zone: Zone, counter_j: Quantity, span_s: float, doubt: str) -> RailReading:
        before = self._before_j[zone.name]
        if counter_j.value is None:
            return RailReading(zone.name, None, counter_j.reason)
        if doubt or before.value is None:
            return RailReading(zone.name, None, doubt or 'needs a second reading')
        spent_j = counter_j.value - before.value
        if spent_j < 0:
            spent_j += zone.range_j
        power_w = spent_j / span_s
        if not 0 <= power_w <= _MOST_PLAUSIBLE_W:
            return RailReading(zone.name, None, f'the counter jumped by {spent_j:g} J')
        self._sums_j[zone.name] += spent_j
        return RailReading(zone.name, power_w)
