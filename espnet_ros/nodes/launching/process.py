"""A process that a launch starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from espnet_ros.settings import Value


@dataclass(frozen=True)
class Process:
    """
    A process to start.

    :param parameters: set after those of the file
    :param may_end: whether exit code 0 is its regular end, and no death
    :param respawns: whether it is started again when it dies
    """

    package: str
    executable: str
    name: str
    parameters: Mapping[str, Value]
    parameter_file: Path | None = None
    remappings: tuple[tuple[str, str], ...] = ()
    arguments: tuple[str, ...] = ()
    ros_arguments: tuple[str, ...] = ()
    may_end: bool = False
    respawns: bool = False

    def has_died(self, exit_code: int) -> bool:
        """Tell whether an end that the launch did not ask for is a death."""
        return exit_code != 0 or not self.may_end
