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
def on_standard_error(level: int, name: str = 'espnet_ros') -> Iterator[None]:
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
