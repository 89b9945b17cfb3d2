"""Work that begins once all messages that came are taken, so that it sees the newest."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.node import Node

_MOST_ROUNDS = 16


class QuietTrigger:
    """
    Calls back as soon as the executor finds no more messages, for a while at most.

    An executor takes one message of each topic per round. Work in the callback of a message
    would let the rest wait, and on a machine that is too slow every message would be old.
    """

    def __init__(self, node: Node, callback: Callable[[], None]) -> None:
        self._node = node
        self._callback = callback
        self._guard = node.create_guard_condition(self._look)
        self._has_heard = False
        self._rounds = 0

    def heard(self) -> None:
        """Take notice of a message: there may be more."""
        self._has_heard = True
        self._guard.trigger()

    def trigger(self) -> None:
        """Call back soon, if only because time has passed."""
        self._guard.trigger()

    def destroy(self) -> None:
        self._node.destroy_guard_condition(self._guard)

    def _look(self) -> None:
        if self._has_heard and self._rounds < _MOST_ROUNDS:
            self._has_heard = False
            self._rounds += 1
            self._guard.trigger()
            return
        self._rounds = 0
        self._callback()
