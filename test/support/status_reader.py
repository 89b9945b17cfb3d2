"""What /diagnostics says, by the name of the status."""

from __future__ import annotations

from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


class StatusReader:
    """The statuses that come in, by name; made from the ``ros`` fixture."""

    def __init__(self, ros: Any) -> None:
        self._inbox = ros.listen(DiagnosticArray, '/diagnostics')

    def wait_for(
        self, name: str, level: bytes | None = None, words: str = '', **wanted: str
    ) -> Any:
        """Return the first status of a name that has this level, these words and values."""

        def find(array: Any) -> Any:
            for status in array.status:
                if (
                    status.name == name
                    and level in (None, status.level)
                    and words in status.message
                    and values(status).items() >= wanted.items()
                ):
                    return status
            return None

        return find(self._inbox.wait_for(lambda array: find(array) is not None))

    def array(self) -> Any:
        return self._inbox.wait_for()


def values(status: Any) -> dict[str, str]:
    """Return the values of a status by key."""
    return {pair.key: pair.value for pair in status.values}
