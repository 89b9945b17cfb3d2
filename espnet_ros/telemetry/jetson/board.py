"""Which board this is."""

from __future__ import annotations

from dataclasses import dataclass
import re

from espnet_ros.telemetry.file_tree import FileTree

_MODULES = {
    'p3448': 'Jetson Nano',
    'p3450': 'Jetson Nano',
    'p3310': 'Jetson TX2',
    'p3489': 'Jetson TX2i',
    'p3636': 'Jetson TX2 NX',
    'p2888': 'Jetson AGX Xavier',
    'p3668': 'Jetson Xavier NX',
    'p3701': 'Jetson AGX Orin',
    'p3767-0000': 'Jetson Orin NX 16GB',
    'p3767-0001': 'Jetson Orin NX 8GB',
    'p3767-0003': 'Jetson Orin Nano 8GB',
    'p3767-0004': 'Jetson Orin Nano 4GB',
    'p3767-0005': 'Jetson Orin Nano 8GB',
    'p3834': 'Jetson AGX Thor',
}
"""Names by NVIDIA's number of the module, longest match first."""

_SOCS = {
    'tegra210': 'Jetson Nano or TX1',
    'tegra186': 'Jetson TX2',
    'tegra194': 'Jetson Xavier',
    'tegra234': 'Jetson Orin',
    'tegra264': 'Jetson Thor',
}
_CHIP_IDS = {'24': 'tegra186', '25': 'tegra194', '33': 'tegra210', '35': 'tegra234'}
_RELEASE = re.compile(r'# R(\d+) \(release\), REVISION: ([\d.]+)')


@dataclass(frozen=True)
class Board:
    """
    The board that a file tree belongs to.

    :param name: in words, or None where nothing tells
    :param soc: for example ``tegra234``, or None where it is no Jetson
    :param release: version of Jetson Linux, for example ``36.4.3``, or None
    """

    name: str | None
    soc: str | None = None
    release: str | None = None

    @property
    def is_jetson(self) -> bool:
        return self.soc is not None


def find_board(tree: FileTree) -> Board:
    """Return the board, by device tree, chip id or DMI, in this order."""
    compatible = tree.text('/proc/device-tree/compatible') or ''
    entries = [entry for entry in compatible.split('\0') if entry]
    soc = next((e.partition(',')[2] for e in entries if e.startswith('nvidia,tegra')), None)
    if soc is None:
        chip_id = tree.text('/sys/module/tegra_fuse/parameters/tegra_chip_id')
        soc = _CHIP_IDS.get(chip_id or '')
    model = tree.text('/proc/device-tree/model')
    if soc is None:
        return Board(model or _dmi_name(tree))
    release = _RELEASE.match(tree.text('/etc/nv_tegra_release') or '')
    version = f'{release[1]}.{release[2]}' if release else None
    return Board(_module_name(entries) or model or _SOCS.get(soc, soc), soc, version)


def _module_name(entries: list[str]) -> str | None:
    """Return the name of the module that the device tree's ``compatible`` lists."""
    for entry in entries:
        # The carrier comes before a plus sign, the module behind it, perhaps with a suffix.
        number = re.search(r'p\d{4}(-\d{4})?', entry.rpartition('+')[2])
        if number:
            for length in (10, 5):
                name = _MODULES.get(number[0][:length])
                if name:
                    return name
    return None


def _dmi_name(tree: FileTree) -> str | None:
    parts = [tree.text(f'/sys/class/dmi/id/{key}') for key in ('sys_vendor', 'product_name')]
    return ' '.join(part for part in parts if part) or None
