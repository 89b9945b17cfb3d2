"""Load and clock of a Jetson's GPU, from devfreq."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
import re

from espnet_ros.telemetry.file_tree import FileTree, Quantity

_NODE_NAMES = ('gp10b', 'gv11b', 'ga10b', 'gb10b', 'gpu')
_FOLDER = re.compile(r'([0-9a-f]+\.(gp10b|gv11b|ga10b|gb10b|gpu)|gpu-gpc-0)')
_PER_MILLE = 0.1


@dataclass(frozen=True)
class GpuClocks:
    """
    Clocks of a GPU in Hz.

    :param now: the clock; 0 while the GPU sleeps
    :param lowest: what it may go down to
    :param highest: what it may go up to
    """

    now: Quantity
    lowest: Quantity
    highest: Quantity

    @property
    def are_locked(self) -> bool | None:
        """Return whether the clock is fixed, or None where it is not known."""
        if self.lowest.value is None or self.highest.value is None:
            return None
        return self.lowest.value == self.highest.value


def find_devfreq(tree: FileTree) -> Path | None:
    """Return the devfreq folder of the GPU; early after boot there may be none yet."""
    for folder in tree.glob('/sys/class/devfreq/*'):
        name = tree.text(folder / 'device/of_node/name')
        if name in _NODE_NAMES or _FOLDER.fullmatch(folder.name):
            return folder
    return None


def read_gpu_clocks(tree: FileTree) -> GpuClocks | None:
    folder = find_devfreq(tree)
    if folder is None:
        return None
    return GpuClocks(*(tree.number(folder / f'{key}_freq') for key in ('cur', 'min', 'max')))


def read_gpu_load(tree: FileTree) -> Quantity:
    """Return the share of the last moments in which the GPU was busy, in percent."""
    folder = find_devfreq(tree)
    if folder is None:
        return Quantity(None, 'no GPU under /sys/class/devfreq')
    # The kernels put the same node in different places.
    names = (folder.name, 'gpu.0')
    places = [folder / 'device/load']
    places += tree.glob(
        *(f'/sys/devices/{inner}{name}/load' for name in names for inner in ('', 'platform/')),
        f'/sys/devices/platform/bus@0/{folder.name}/load',
    )
    for place in places:
        load = tree.number(place, _PER_MILLE)
        if load.value is not None:
            return load
    return Quantity(None, f'{folder.name} has no load file')
