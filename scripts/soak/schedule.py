"""When what happens in a soak, and what went wrong until its end."""

from __future__ import annotations

from collections.abc import Callable
import sys
import time

from .events import Events, RECOVERY_LIMIT_S, SoakError

SAMPLE_PERIOD_S = 5.0
FILLING_WALKS = 12
"""Walks through the lifecycle before growth is judged: until then heaps come to their size."""
START_LIMIT_S = 120.0


class Soak:
    """
    A soak that runs.

    :ivar seconds: how long it is to run
    :ivar failures: what went wrong, one line each
    """

    def __init__(self, events: Events, minutes: float, turn_s: float) -> None:
        self._events = events
        self._nodes = events.nodes
        self.seconds = minutes * 60
        self._turn_s = turn_s
        self._started_s = time.monotonic()
        self._sampled_s = 0.0
        self.failures: list[str] = []

    def run(self) -> None:
        """Run until the time is up."""
        observer = self._events.observer
        if not observer.hears_masks(START_LIMIT_S) or not observer.hears_maps(RECOVERY_LIMIT_S):
            self.failures.append('no masks or maps at the start')
            return
        events = self._events.every_turn()
        once = self._events_once()
        while self._now_s() < self.seconds:
            if once and self._now_s() > once[0][0]:
                for event in once.pop(0)[1]:
                    self._let(event)
            for event in events:
                self._rest(self._turn_s / len(events))
                if self._now_s() >= self.seconds:
                    return
                self._let(event)

    def _events_once(self) -> list[tuple[float, list[Callable[[], None]]]]:
        """Return what happens once, and after how many seconds."""
        walks = [self._events.walk] * FILLING_WALKS
        return [
            (self.seconds / 10, [self._events.kill_nodes, *walks]),
            (self.seconds / 2, [self._events.suspend]),
        ]

    def _let(self, event: Callable[[], None]) -> None:
        try:
            self._events.run(event)
        except (SoakError, OSError) as failure:
            self.failures.append(f'{self._now_s():.0f} s, {event.__name__}: {failure}')
            sys.stderr.write(f'{self.failures[-1]}\n')
        for node in self._nodes.all():
            if not node.is_alive():
                self.failures.append(f'{self._now_s():.0f} s: {node.name} ended by itself')
                sys.stderr.write(f'{self.failures[-1]}\n{node.tail()}\n')
                node.start()

    def _rest(self, seconds: float) -> None:
        end_s = self._now_s() + seconds
        while self._now_s() < min(end_s, self.seconds):
            self._events.observer.spin_until(lambda: False, 1.0)
            if self._now_s() - self._sampled_s >= SAMPLE_PERIOD_S:
                self._sampled_s = self._now_s()
                for node in self._nodes.all():
                    node.sample(self._sampled_s)

    def _now_s(self) -> float:
        return time.monotonic() - self._started_s
