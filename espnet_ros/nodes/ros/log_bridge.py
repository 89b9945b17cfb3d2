"""The library's log records in the node's log."""

from __future__ import annotations

import logging
from typing import Any

from rclpy.logging import LoggingSeverity

_LIBRARY = 'espnet_ros'


class LogBridge(logging.Handler):
    """Forwards what the library logs to a node's logger, whose level decides what is shown."""

    def __init__(self, logger: Any) -> None:
        super().__init__(logging.DEBUG)
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        # Each call below has a line of its own: rclpy keeps the severity of a line.
        logger = self._logger
        if record.levelno >= logging.CRITICAL:
            logger.fatal(self.format(record))
        elif record.levelno >= logging.ERROR:
            logger.error(self.format(record))
        elif record.levelno >= logging.WARNING:
            logger.warning(self.format(record))
        elif record.levelno >= logging.INFO:
            logger.info(self.format(record))
        elif logger.is_enabled_for(LoggingSeverity.DEBUG):
            logger.debug(self.format(record))

    def attach(self) -> None:
        library = logging.getLogger(_LIBRARY)
        library.addHandler(self)
        library.setLevel(logging.DEBUG)
        library.propagate = False

    def detach(self) -> None:
        library = logging.getLogger(_LIBRARY)
        library.removeHandler(self)
        if not any(isinstance(handler, LogBridge) for handler in library.handlers):
            library.setLevel(logging.NOTSET)
            library.propagate = True
