"""From the threads that bring what is new to the coroutines that wait for it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress

from espnet_ros.web.live_view import LiveView

Topic = tuple[str, str]
"""What is new, and of which camera; see :data:`espnet_ros.web.live_view.Listener`."""


class Wakeups:
    """
    Wakes coroutines of one event loop.

    :ivar has_ended: whether nothing new will come, so that everybody is to go
    """

    def __init__(self, view: LiveView, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: defaultdict[Topic, set[asyncio.Future[None]]] = defaultdict(set)
        self._queues: dict[asyncio.Event, set[Topic]] = {}
        self.has_ended = False
        view.listen(self._tell)

    async def wait(self, topic: Topic, limit_s: float) -> None:
        """Wait until something is new on a topic, at most so long."""
        future: asyncio.Future[None] = self._loop.create_future()
        self._waiting[topic].add(future)
        try:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(future, limit_s)
        finally:
            self._waiting[topic].discard(future)

    def subscribe(self, event: asyncio.Event) -> set[Topic]:
        """Have an event set with all that is new; return the set that tells what it was."""
        self._queues[event] = set()
        return self._queues[event]

    def unsubscribe(self, event: asyncio.Event) -> None:
        self._queues.pop(event, None)

    def end(self) -> None:
        """Wake everybody for the last time."""
        self.has_ended = True
        for topic in tuple(self._waiting):
            self._wake(topic)
        for event in self._queues:
            event.set()

    def _tell(self, what: str, camera: str) -> None:
        """Take news, in whatever thread."""
        if self._waiting.get((what, camera)) or (what != 'frame' and self._queues):
            with suppress(RuntimeError):  # the loop was closed
                self._loop.call_soon_threadsafe(self._wake, (what, camera))

    def _wake(self, topic: Topic) -> None:
        waiting = self._waiting[topic]
        while waiting:
            future = waiting.pop()
            if not future.done():
                future.set_result(None)
        for event, topics in self._queues.items():
            topics.add(topic)
            event.set()
