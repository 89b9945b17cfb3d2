"""How the building of an engine is watched, and ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class BuildProgress:
    """
    How far a build is.

    :param phase: what TensorRT does, in its own words; empty where it does not tell
    :param fraction: done, 0 to 1, or None where nobody knows
    """

    phase: str
    fraction: float | None
    elapsed_s: float

    @property
    def words(self) -> str:
        share = '' if self.fraction is None else f'{100 * self.fraction:.0f} %, '
        phase = f' ({self.phase})' if self.phase else ''
        return f'{share}{self.elapsed_s:.0f} s{phase}'


@dataclass(frozen=True)
class BuildWatch:
    """
    Who is told of a build, and may end it.

    :param on_progress: is called at least every few seconds while a build goes on
    :param is_cancelled: is called now and then; True ends the build
    :param on_end: is called when a build has ended, however it did
    """

    on_progress: Callable[[BuildProgress], None] = lambda _: None
    is_cancelled: Callable[[], bool] = lambda: False
    on_end: Callable[[], None] = lambda: None


SILENT = BuildWatch()
"""Tells nobody."""

NO_BUILD = BuildWatch(is_cancelled=lambda: True)
"""Lets no build begin: for those who want an engine only where it is kept."""
