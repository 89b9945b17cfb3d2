"""
The power monitors of Jetson boards, INA3221 and INA238.

Three generations of drivers show them: ``ina3221x`` under iio (JetPack 3 and 4), ``ina3221``
under hwmon (JetPack 5 on), and ``ina238`` for the input of Thor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
import re

from espnet_ros.telemetry.file_tree import FileTree, Quantity
from espnet_ros.telemetry.power_sensor import RailReading

NOT_CONNECTED = 'NC'

_IIO_CHANNELS = (0, 1, 2)
_HWMON_CHANNELS = (1, 2, 3)
_CHIP = re.compile(r'\d+-[0-9a-f]{4}')
_MOST_PLAUSIBLE_W = 1000.0


@dataclass(frozen=True)
class Rail:
    """
    One channel of a power monitor.

    :param power: file with the power, or None where voltage and current give it
    :param power_unit_w: unit of that file in watts
    :param voltage: file with the voltage in millivolts
    :param current: file with the current in milliamperes
    """

    name: str
    power: Path | None
    power_unit_w: float
    voltage: Path
    current: Path

    def read(self, tree: FileTree) -> RailReading:
        power = self._power(tree)
        if power.value is not None and abs(power.value) > _MOST_PLAUSIBLE_W:
            return RailReading(self.name, None, f'{power.value:g} W cannot be true')
        return RailReading(self.name, power.value, power.reason)

    def _power(self, tree: FileTree) -> Quantity:
        if self.power is not None:
            return tree.number(self.power, self.power_unit_w)
        voltage_v = tree.number(self.voltage, 1e-3)
        if voltage_v.value is None:
            return voltage_v
        return tree.number(self.current, 1e-3 * voltage_v.value)


def find_rails(tree: FileTree) -> tuple[Rail, ...]:
    """Return every rail that has a name, each once, in the order of chips and channels."""
    rails: dict[str, Rail] = {}
    for folder in _iio_folders(tree):
        for rail in _iio_rails(tree, folder):
            rails.setdefault(rail.name, rail)
    for folder in _hwmon_folders(tree):
        chip = tree.text(folder / 'name')
        if chip == 'ina3221':
            for rail in _ina3221_rails(tree, folder):
                rails.setdefault(rail.name, rail)
        elif chip == 'ina238':
            # Its label names the whole device, not a channel.
            name = tree.text(folder / 'label')
            if name:
                rails.setdefault(name, _rail(name, folder, ('in1', 'curr1'), 'power1', 1e-6))
    return tuple(rails.values())


def _iio_folders(tree: FileTree) -> list[Path]:
    found = tree.glob(
        '/sys/bus/i2c/drivers/ina3221x/*/iio:device*',
        '/sys/bus/i2c/drivers/ina3221x/*/iio_device*',
        '/sys/devices/3160000.i2c/i2c-*/*/iio_device',
    )
    return [folder for folder in found if _CHIP.fullmatch(folder.parent.name)]


def _hwmon_folders(tree: FileTree) -> list[Path]:
    return tree.glob(
        '/sys/bus/i2c/drivers/ina3221/*/hwmon/hwmon*',
        '/sys/bus/i2c/drivers/ina238/*/hwmon/hwmon*',
        '/sys/bus/i2c/devices/*-*/hwmon/hwmon*',
        '/sys/class/hwmon/hwmon*',
    )


def _iio_rails(tree: FileTree, folder: Path) -> Iterator[Rail]:
    for n in _IIO_CHANNELS:
        name = tree.text(folder / f'rail_name_{n}')
        if name and name != NOT_CONNECTED:
            channel = (f'in_voltage{n}', f'in_current{n}')
            yield _rail(name, folder, channel, f'in_power{n}', 1e-3)


def _ina3221_rails(tree: FileTree, folder: Path) -> Iterator[Rail]:
    # Channels 4 to 6 are shunt voltages in microvolts and 7 is their sum: no rails.
    for n in _HWMON_CHANNELS:
        name = tree.text(folder / f'in{n}_label')
        if name and name != NOT_CONNECTED:
            yield _rail(name, folder, (f'in{n}', f'curr{n}'))


def _rail(
    name: str,
    folder: Path,
    channel: tuple[str, str],
    power: str | None = None,
    power_unit_w: float = 1.0,
) -> Rail:
    voltage, current = channel
    return Rail(
        name=name,
        power=None if power is None else folder / f'{power}_input',
        power_unit_w=power_unit_w,
        voltage=folder / f'{voltage}_input',
        current=folder / f'{current}_input',
    )
