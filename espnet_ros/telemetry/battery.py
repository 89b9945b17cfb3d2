"""How fast the batteries discharge: the power of a whole laptop or robot."""

from __future__ import annotations

from pathlib import Path
import time

from espnet_ros.telemetry.file_tree import FileTree, Quantity
from espnet_ros.telemetry.power_sensor import add_up, PowerReading, PowerSensor, RailReading


def find_batteries(tree: FileTree) -> tuple[Path, ...]:
    """Return the folders of the batteries that power the machine, not those of a mouse."""
    return tuple(
        folder
        for folder in tree.glob('/sys/class/power_supply/*')
        if tree.text(folder / 'type') == 'Battery'
        and tree.text(folder / 'scope') != 'Device'
        and tree.text(folder / 'present') != '0'
    )


class BatterySensor(PowerSensor):
    """
    Reads the discharge rate of every battery.

    On mains a battery tells how fast it charges, so there is no reading then.
    """

    kind = 'battery'
    scope = 'system'

    def __init__(self, tree: FileTree, batteries: tuple[Path, ...]) -> None:
        self._tree = tree
        self._batteries = batteries

    def read(self) -> PowerReading:
        rails = tuple(self._read_battery(folder) for folder in self._batteries)
        # A second battery that rests is full or empty: only one that charges means mains.
        discharging = tuple(rail for rail in rails if rail.power_w is not None)
        total_w, reason = add_up(rails)
        if total_w is None and discharging and not self._is_on_mains(rails):
            total_w, reason = add_up(discharging)
        source = '+'.join(rail.name for rail in discharging or rails)
        return PowerReading(
            time.monotonic(), self.kind, self.scope, source, total_w, rails, reason=reason
        )

    def _is_on_mains(self, rails: tuple[RailReading, ...]) -> bool:
        resting = ('Not charging', 'Full', 'Unknown')
        return any(
            rail.power_w is None and (self._tree.text(folder / 'status') or '') not in resting
            for folder, rail in zip(self._batteries, rails, strict=True)
        )

    def _read_battery(self, folder: Path) -> RailReading:
        status = self._tree.text(folder / 'status')
        if status != 'Discharging':
            reason = f'status is {status or "not known"}; unplug the charger to measure'
            return RailReading(folder.name, None, reason)
        power = self._power(folder)
        if power.value is None:
            return RailReading(folder.name, None, power.reason)
        # Some drivers count what flows out as negative.
        return RailReading(folder.name, abs(power.value))

    def _power(self, folder: Path) -> Quantity:
        power = self._tree.number(folder / 'power_now', 1e-6)
        if power.value is not None:
            return power
        voltage_v = self._tree.number(folder / 'voltage_now', 1e-6)
        if voltage_v.value is None:
            return voltage_v
        return self._tree.number(folder / 'current_now', 1e-6 * voltage_v.value)
