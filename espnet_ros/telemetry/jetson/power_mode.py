"""The power mode of a Jetson, as nvpmodel set it."""

from __future__ import annotations

from dataclasses import dataclass
import re

from espnet_ros.telemetry.file_tree import FileTree

_MODE = re.compile(r'pmode:\s*(\d+)')
_NAME = re.compile(r'<\s*POWER_MODEL\s+ID=(\d+)\s+NAME=(\S+)\s*>')


@dataclass(frozen=True)
class PowerMode:
    """
    A power mode; its number alone says nothing, as 0 is the largest on some boards only.

    :param mode_id: for example 2
    :param name: for example ``MAXN_SUPER``, or None where the board does not list its modes
    """

    mode_id: int
    name: str | None

    def __str__(self) -> str:
        return str(self.mode_id) if self.name is None else f'{self.mode_id} {self.name}'


def read_power_mode(tree: FileTree) -> PowerMode | None:
    """Return the power mode, or None where nvpmodel is not there."""
    status = _MODE.search(tree.text('/var/lib/nvpmodel/status') or '')
    if status is None:
        return None
    mode_id = int(status[1])
    names = dict(_NAME.findall(tree.text('/etc/nvpmodel.conf') or ''))
    return PowerMode(mode_id, {int(key): name for key, name in names.items()}.get(mode_id))
