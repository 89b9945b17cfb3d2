"""The two consoles of the command line, and how the package's log gets there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import json
import logging
import sys
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

PROGRAM = 'espnet-ros'

UNAVAILABLE = 'unavailable'
"""What tables show for what is not known."""

_FILE_WIDTH = 160

OUT = Console(highlight=False, width=None if sys.stdout and sys.stdout.isatty() else _FILE_WIDTH)
"""Standard output: results. Files and pipes are wide, so that tables stay whole in them."""

ERROR = Console(stderr=True, highlight=False)
"""Standard error: progress, what the library logs, and errors."""

BARE: dict[str, Any] = {'box': None, 'padding': (0, 1), 'pad_edge': False}
"""Style of tables without lines."""


def say(text: str, **how: Any) -> None:
    """Write a line of results as it is, however wide the console."""
    OUT.print(text, soft_wrap=True, markup=False, **how)


def warn(text: str) -> None:
    """Write a line to standard error as it is, however wide the console."""
    ERROR.print(text, soft_wrap=True, markup=False)


def say_json(content: object) -> None:
    print(json.dumps(content, indent=2, ensure_ascii=False))


def make_table(first: str, *titles: str, gap: int = 1) -> Table:
    """Return a table without lines: names, then columns of numbers."""
    columns = [Column(title, justify='right', no_wrap=True) for title in titles]
    return Table(Column(first, overflow='fold'), *columns, **(BARE | {'padding': (0, gap)}))


def swatch(color_rgb: tuple[int, int, int], width: int = 2) -> Text:
    return Text('█' * width, style=f'rgb({",".join(map(str, color_rgb))})')


class _ConsoleHandler(logging.Handler):
    """Writes through the console that the progress bar uses, so that both stay readable."""

    def emit(self, record: logging.LogRecord) -> None:
        level = '' if record.levelno == logging.INFO else f'{record.levelname.lower()}: '
        warn(f'{level}{record.getMessage()}')


@contextmanager
def log_on_standard_error(level: int, name: str = 'espnet_ros') -> Iterator[None]:
    """
    Show what the package logs for as long as the context lasts.

    :param level: the lowest level that is shown
    :param name: of the logger; the whole package, or a part of it
    """
    logger = logging.getLogger(name)
    handler = _ConsoleHandler(level)
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(level)
    # What is shown here is not shown again by a handler of the whole package.
    logger.propagate = name == 'espnet_ros'
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]
