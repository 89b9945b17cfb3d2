"""How long the stages of the work take: rolling percentiles."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
import math
import time

import numpy as np


class StageClock:
    """
    Keeps the durations of named stages for a while.

    Durations that are not known (None or NaN) are not kept. It is not locked; one thread
    at a time uses it.

    :param window_s: how long a duration is kept, in seconds
    """

    def __init__(self, window_s: float = 10.0) -> None:
        self._window_s = window_s
        self._stages: dict[str, deque[tuple[float, float]]] = {}

    def add(self, stage: str, duration_s: float | None, now_s: float) -> None:
        """
        Keep a duration.

        :param stage: for example ``inference``
        :param now_s: the time now, by a clock that never goes back
        """
        if duration_s is None or math.isnan(duration_s):
            return
        kept = self._stages.setdefault(stage, deque())
        kept.append((now_s, duration_s))
        while kept[0][0] < now_s - self._window_s:
            kept.popleft()

    def percentile_s(
        self, stage: str, percent: float, now_s: float, window_s: float | None = None
    ) -> float | None:
        """
        Return a percentile of a stage's durations in seconds, or None where there are none.

        :param window_s: look back only so far
        """
        since_s = now_s - (self._window_s if window_s is None else window_s)
        durations = [d for t, d in self._stages.get(stage, ()) if t >= since_s]
        return float(np.percentile(durations, percent)) if durations else None

    @property
    def stages(self) -> tuple[str, ...]:
        """Return the stages that have durations, in the order of their first one."""
        return tuple(self._stages)


class Stopwatch:
    """
    Measures stages that follow each other.

    For example::

        watch = Stopwatch()
        with watch.stage('convert'):
            ...
        watch.durations_s['convert']

    A stage that is entered more than once adds up.
    """

    def __init__(self) -> None:
        self.durations_s: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start_s = time.perf_counter()
        try:
            yield
        finally:
            spent_s = time.perf_counter() - start_s
            self.durations_s[name] = self.durations_s.get(name, 0.0) + spent_s
