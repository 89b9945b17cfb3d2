"""What became of the many units of a command, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from espnet_ros.cli.console import PROGRAM, warn
from espnet_ros.exceptions import InputError
from espnet_ros.fleet.unit import Unit

ResultT = TypeVar('ResultT')


@dataclass(frozen=True)
class Many(Generic[ResultT]):
    """
    What became of units.

    :param found: the results, in the order of the units
    :param failed: why other units have none
    :param total: of all results, or None where there are none
    :param is_interrupted: whether the user ended the command before all units were done
    """

    found: Mapping[Unit, ResultT]
    failed: Mapping[Unit, str]
    total: ResultT | None
    is_interrupted: bool

    @property
    def only(self) -> ResultT:
        """
        Return the result of the only unit.

        :raises InputError: it failed
        :raises KeyboardInterrupt: the user ended it
        """
        for reason in self.failed.values():
            raise InputError(reason)
        for result in self.found.values():
            return result
        raise KeyboardInterrupt

    def warn_of_failures(self) -> None:
        """Name each unit that failed, and why."""
        for unit, reason in self.failed.items():
            warn(f'failed: {unit.name}: {reason}')

    def end(self, count: int, what: str) -> ResultT | None:
        """
        Return the total; None, after a line about it, where the user ended the command.

        :param what: a word for them
        :raises InputError: one failed
        """
        if self.is_interrupted:
            done = len(self.found) + len(self.failed)
            warn(f'{PROGRAM}: interrupted; {done} of {count} {what} were done')
            return None
        if self.failed or self.total is None:
            raise InputError(f'{len(self.failed)} of {count} {what} failed')
        return self.total
