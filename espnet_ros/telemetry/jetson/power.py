"""
The power of a Jetson, with the total by the board's own rule.

Adding up every rail would count some power twice: ``VDD_IN`` holds its sub-rails, and on
AGX Orin ``VIN_SYS_5V0`` feeds ``VDDQ_VDD2_1V8AO``. A set of rails that is not known has no
total, since a guess would be wrong by a factor of two.
"""

from __future__ import annotations

from dataclasses import dataclass
import time

from espnet_ros.telemetry.file_tree import FileTree, NOT_THERE
from espnet_ros.telemetry.jetson.rails import find_rails, Rail
from espnet_ros.telemetry.power_sensor import add_up, PowerReading, PowerSensor, RailReading

_PERMISSION_HINT = (
    'only root may read it; let users do so with: sudo chmod a+r '
    '/sys/bus/i2c/drivers/ina3221x/*/iio:device*/in_* (again after each boot)'
)


@dataclass(frozen=True)
class TotalRule:
    """
    Which rails form the total.

    :param rails: they are added
    :param scope: what that is the power of
    :param board: boards that have exactly this set, for those that do not tell their name
    """

    rails: tuple[str, ...]
    scope: str
    board: str

    @property
    def source(self) -> str:
        """Return the rails in one word."""
        return '+'.join(self.rails)


_THOR_MODULE = ('VDD_GPU', 'VDD_CPU_SOC_MSS', 'VIN_SYS_5V0')

TOTAL_RULES = (
    TotalRule(('POM_5V_IN',), 'module', 'Jetson Nano'),
    TotalRule(('VDD_IN',), 'module', 'Jetson'),
    TotalRule(('VIN',), 'board', 'Jetson AGX Thor'),
    TotalRule(_THOR_MODULE, 'module', 'Jetson AGX Thor'),
    TotalRule(('VDD_GPU_SOC', 'VDD_CPU_CV', 'VIN_SYS_5V0'), 'module', 'Jetson AGX Orin'),
    TotalRule(('GPU', 'CPU', 'SOC', 'CV', 'VDDRQ', 'SYS5V'), 'module', 'Jetson AGX Xavier'),
)
"""The first whose rails the board has is taken."""


def find_total_rule(names: tuple[str, ...]) -> TotalRule | None:
    """Return the rule for a board with these rails, or None where none is known."""
    return next((rule for rule in TOTAL_RULES if set(rule.rails) <= set(names)), None)


class JetsonSensor(PowerSensor):
    """
    Reads the power monitors of a Jetson.

    A rail that goes away stays in the readings as not known, and comes back when it does,
    also under another number of its device.
    """

    kind = 'jetson'

    def __init__(self, tree: FileTree, rails: tuple[Rail, ...]) -> None:
        self._tree = tree
        self._rails = rails
        self._rule = find_total_rule(tuple(rail.name for rail in rails))
        self.scope = self._rule.scope if self._rule else 'none'

    @property
    def board(self) -> str | None:
        """Return the board that has such rails, for a tree that does not tell its name."""
        return self._rule.board if self._rule else None

    def read(self) -> PowerReading:
        """Return every rail and the total by the board's rule."""
        rails = tuple(rail.read(self._tree) for rail in self._rails)
        if any(rail.reason.endswith(NOT_THERE) for rail in rails):
            self._find_again()
        module_w = None
        if self._rule is not None and self._rule.scope == 'board':
            module_w = add_up(_pick(rails, _THOR_MODULE))[0]
        total_w, reason = self._total(rails)
        return PowerReading(
            time_s=time.monotonic(),
            sensor=self.kind,
            scope=self.scope,
            source=self._rule.source if self._rule else '',
            total_w=total_w,
            rails=rails,
            reason=reason,
            module_w=module_w,
        )

    def _total(self, rails: tuple[RailReading, ...]) -> tuple[float | None, str]:
        if self._rule is None:
            names = ', '.join(rail.name for rail in rails)
            return None, f'no rule is known for the total of the rails {names}'
        total_w, missing = add_up(_pick(rails, self._rule.rails))
        if total_w is not None:
            return total_w, ''
        hint = f'; {_PERMISSION_HINT}' if 'permission denied' in missing else ''
        return None, f'cannot be read: {missing}{hint}'

    def _find_again(self) -> None:
        """Look where the rails are now; those that are not found stay where they were."""
        now = {rail.name: rail for rail in find_rails(self._tree)}
        self._rails = tuple(now.get(rail.name, rail) for rail in self._rails)


def _pick(rails: tuple[RailReading, ...], names: tuple[str, ...]) -> tuple[RailReading, ...]:
    """Return the rails of these names; one that the board lacks is not known."""
    by_name = {rail.name: rail for rail in rails}
    return tuple(by_name.get(name, RailReading(name, None, NOT_THERE)) for name in names)
