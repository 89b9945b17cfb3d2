"""What the library logs, on standard error while a job runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import logging

from espnet_ros.cli._console import ERROR


class _ConsoleHandler(logging.Handler):
    """Writes through the console that the progress bar uses, so that both stay readable."""

    def emit(self, record: logging.LogRecord) -> None:
        level = '' if record.levelno == logging.INFO else f'{record.levelname.lower()}: '
        ERROR.print(f'{level}{record.getMessage()}', markup=False, highlight=False, soft_wrap=True)


@contextmanager
def on_standard_error(level: int) -> Iterator[None]:
    """Show what the package logs from ``level`` on for as long as the context lasts."""
    logger = logging.getLogger('espnet_ros')
    handler = _ConsoleHandler(level)
    level_before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.setLevel(level_before)
        logger.removeHandler(handler)
