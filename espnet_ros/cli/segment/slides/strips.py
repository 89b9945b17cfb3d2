"""Large pictures by several jobs each: strips of tiles, joined when all are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from espnet_ros.exceptions import InputError
from espnet_ros.fleet.output import drop, FleetOutput
from espnet_ros.fleet.stores import is_url
from espnet_ros.fleet.unit import Finished, Task, Unit
from espnet_ros.slides.tiling import Tiling
from espnet_ros.sources.tiff_reader import SlideReader


@dataclass(frozen=True)
class StripTask(Task):
    """
    Rows of tiles of a picture.

    :param folder: where the strip goes
    :param rows: the first row, and the one behind the last
    """

    folder: str = ''
    rows: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class JoinTask(Task):
    """
    A picture whose strips are there.

    :param folder: of the strips
    :param elapsed_s: what they took
    """

    folder: str = ''
    elapsed_s: float = 0.0


@dataclass(eq=False)
class _Picture:
    """A picture, where its strips go, which are still to come, and what the others took."""

    task: Task
    folder: Path
    left: set[str] = field(default_factory=set)
    elapsed_s: float = 0.0
    has_failed: bool = False


class SlideStrips:
    """
    Makes strips of pictures, and joins them.

    :param tile: height and width of tiles
    :param overlap: pixels that two tiles share
    :param output: where strips are kept meanwhile
    :param count: strips of a picture, where it has so many rows of tiles
    """

    def __init__(self, tile: int, overlap: int, output: FleetOutput, count: int) -> None:
        self._tile = tile
        self._overlap = overlap
        self._output = output
        self._count = count
        self._of_strip: dict[str, _Picture] = {}
        self._joined: dict[str, _Picture] = {}

    def split(self, tasks: Sequence[Task]) -> list[Task]:
        """
        Return strips; a picture that cannot be read, or is far away, stays whole.

        :raises OutputError: the folder of the strips cannot be made
        """
        return [part for task in tasks for part in self._strips(task) or [task]]

    def follow(self, end: Finished) -> list[Task]:
        """Return what is to be done after a task: the join, when the last strip is there."""
        picture = self._of_strip.get(end.unit.name)
        if picture is None or end.report is None:
            return []
        picture.left.discard(end.unit.name)
        picture.elapsed_s += end.report.elapsed_s
        if picture.left:
            return []
        task = picture.task
        self._joined[task.unit.name] = picture
        return [JoinTask(task.unit, task.key, str(picture.folder), picture.elapsed_s)]

    def end_of_picture(self, end: Finished) -> Finished | None:
        """Return the end of a picture, or None where a strip ended that decides nothing."""
        picture = self._of_strip.get(end.unit.name)
        if picture is None:
            joined = self._joined.pop(end.unit.name, None)
            if joined is not None:
                drop(joined.folder)
            return end
        if end.report is not None or picture.has_failed:
            return None
        picture.has_failed = True
        drop(picture.folder)
        return replace(end, unit=picture.task.unit)

    def _strips(self, task: Task) -> list[Task]:
        unit = task.unit
        if is_url(unit.specs[0]):
            return []
        try:
            with SlideReader(Path(unit.specs[0]).expanduser()) as slide:
                down, _ = Tiling(slide.size, self._tile, self._overlap).counts
        except InputError:
            return []
        count = min(self._count, down)
        if count < 2:
            return []
        picture = _Picture(task, self._output.begin(unit.name))
        strips: list[Task] = []
        for index in range(count):
            rows = (down * index // count, down * (index + 1) // count)
            name = f'{unit.name}, tile rows {rows[0]} to {rows[1]}'
            self._of_strip[name] = picture
            picture.left.add(name)
            strips.append(StripTask(Unit(name, unit.specs), task.key, str(picture.folder), rows))
        return strips
