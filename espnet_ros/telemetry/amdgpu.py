"""The power of AMD graphics, as their driver shows it under hwmon."""

from __future__ import annotations

from pathlib import Path
import time

from espnet_ros.telemetry.file_tree import FileTree
from espnet_ros.telemetry.power_sensor import add_up, PowerReading, PowerSensor, RailReading

_POWER_FILES = ('power1_average', 'power1_input')


def find_amdgpus(tree: FileTree) -> tuple[Path, ...]:
    found = []
    for folder in tree.glob('/sys/class/hwmon/hwmon*'):
        if tree.text(folder / 'name') == 'amdgpu':
            found += [folder / name for name in _POWER_FILES if (folder / name).exists()][:1]
    return tuple(found)


class AmdgpuSensor(PowerSensor):
    """Reads AMD graphics; on a processor with built-in graphics this is the whole chip."""

    kind = 'amdgpu'
    scope = 'gpu'

    def __init__(self, tree: FileTree, files: tuple[Path, ...]) -> None:
        self._tree = tree
        self._files = files

    def read(self) -> PowerReading:
        """Return the power of every card and their sum."""
        rails = tuple(self._read_card(index, path) for index, path in enumerate(self._files))
        total_w, reason = add_up(rails)
        source = '+'.join(rail.name for rail in rails)
        return PowerReading(
            time.monotonic(), self.kind, self.scope, source, total_w, rails, reason=reason
        )

    def _read_card(self, index: int, path: Path) -> RailReading:
        power = self._tree.number(path, 1e-6)
        return RailReading(f'amdgpu {index}', power.value, power.reason)
