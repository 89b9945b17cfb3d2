"""Temperatures, from the thermal zones and, where there are none, from hwmon."""

from __future__ import annotations

from pathlib import Path

from espnet_ros.telemetry.file_tree import FileTree

_COLDEST_C, _HOTTEST_C = -40.0, 150.0
_CONSTANT = 'pmic'
_CPU_CHIPS = ('coretemp', 'k10temp', 'zenpower')


def read_temperatures(tree: FileTree) -> dict[str, float]:
    """
    Return the temperatures in degrees Celsius, by name.

    Left out are zones that sleep, which answer nothing or -256, and the PMIC of Jetsons,
    which always says 100.
    """
    found: dict[str, float] = {}
    for zone in tree.glob('/sys/class/thermal/thermal_zone*'):
        name = tree.text(zone / 'type')
        if name and not name.lower().startswith(_CONSTANT):
            _take(tree, found, name, zone / 'temp')
    for folder in tree.glob('/sys/class/hwmon/hwmon*'):
        chip = tree.text(folder / 'name')
        if chip in _CPU_CHIPS:
            for path in tree.glob(f'/{folder.relative_to(tree.root)}/temp*_input'):
                label = tree.text(path.with_name(path.name.replace('_input', '_label')))
                _take(tree, found, f'{chip} {label or path.name.partition("_")[0]}', path)
    return found


def _take(tree: FileTree, found: dict[str, float], name: str, path: Path) -> None:
    temperature_c = tree.number(path, 1e-3).value
    if temperature_c is not None and _COLDEST_C < temperature_c < _HOTTEST_C:
        found.setdefault(name, temperature_c)
