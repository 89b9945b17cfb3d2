"""The newest of everything that can be looked at; nothing here knows ROS or HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
import math
import threading
import time

from espnet_ros.monitoring.health import Status
from espnet_ros.web.history import History, Row
from espnet_ros.web.records import Ground, LiveFrame, Sample

WATCHED_S = 2.0
"""For how long after a picture was requested the next ones are kept."""

Listener = Callable[[str, str], None]
"""Is told what is new, ``frame``, ``sample``, ``statuses``, ``ground`` or ``model``, and of
which camera (empty for the only one, and for what is of none)."""


@dataclass
class _Camera:
    frame: LiveFrame | None = None
    number: int = 0
    watched_s: float = -math.inf
    questioned_s: float = -math.inf
    sample: Sample = field(default_factory=Sample)
    row: Row = ()
    history: History = field(default_factory=History)


class LiveView:
    """
    Slots for the newest frame, numbers, statuses and ground; may be used from any thread.

    Who brings a frame asks :meth:`is_watched` first: while nobody looks, nothing is kept and
    nothing is encoded. Nobody waits for a browser here.

    :param title: what is shown, for the head of the page
    :param cameras: their names; one empty name is a single camera; none until :meth:`add_camera`
    """

    def __init__(self, title: str, cameras: Sequence[str]) -> None:
        self.title = title
        self._lock = threading.Lock()
        self._cameras = {name: _Camera() for name in cameras}
        self._statuses: tuple[Status, ...] = ()
        self._ground: tuple[float, Ground] | None = None
        self._model: Mapping[str, str] = {}
        self._readers = 0
        self._listeners: tuple[Listener, ...] = ()

    @property
    def cameras(self) -> tuple[str, ...]:
        return tuple(self._cameras)

    @property
    def has_readers(self) -> bool:
        """Return whether a page is open somewhere."""
        return self._readers > 0

    @property
    def statuses(self) -> tuple[Status, ...]:
        return self._statuses

    @property
    def model(self) -> Mapping[str, str]:
        return self._model

    def add_camera(self, name: str) -> None:
        """Show a camera more; one that is shown stays as it is."""
        with self._lock:
            if name in self._cameras:
                return
            self._cameras = {**self._cameras, name: _Camera()}
        self._tell('model', '')

    def is_watched(self, camera: str) -> bool:
        """Return whether somebody looks at the pictures of a camera."""
        return time.monotonic() - self._cameras[camera].watched_s < WATCHED_S

    def wants_confidence(self, camera: str) -> bool:
        """Return whether somebody wants to know how sure the network is."""
        return time.monotonic() - self._cameras[camera].questioned_s < WATCHED_S

    def offer(self, camera: str, frame: LiveFrame) -> None:
        """Keep a frame as the newest one, if somebody looks."""
        if not self.is_watched(camera):
            return
        with self._lock:
            entry = self._cameras[camera]
            entry.frame = frame
            entry.number += 1
        self._tell('frame', camera)

    def put_sample(self, camera: str, sample: Sample, time_s: float | None = None) -> None:
        """
        Take the numbers of a moment; a row per second is kept for the curves.

        :param time_s: seconds since 1970; None is now
        """
        now_s = time.time() if time_s is None else time_s
        with self._lock:
            entry = self._cameras[camera]
            entry.sample = sample
            row = entry.history.add(now_s, sample)
            entry.row = row or entry.row
        if row is not None:
            self._tell('sample', camera)

    def put_statuses(self, statuses: Iterable[Status]) -> None:
        self._statuses = tuple(statuses)
        self._tell('statuses', '')

    def put_ground(self, ground: Ground) -> None:
        """Take what planners get now."""
        self._ground = (time.monotonic(), ground)
        self._tell('ground', '')

    def put_model(self, facts: Mapping[str, str]) -> None:
        """Take what is known of the model, by key."""
        if dict(facts) != self._model:
            self._model = dict(facts)
            self._tell('model', '')

    def listen(self, listener: Listener) -> None:
        """Have a function called with all that is new, in the thread that brought it."""
        self._listeners = (*self._listeners, listener)

    def watch(self, camera: str, *, confidence: bool = False) -> None:
        """Keep the frames of a camera for a while, as somebody looks at them."""
        entry = self._cameras[camera]
        entry.watched_s = time.monotonic()
        if confidence:
            entry.questioned_s = entry.watched_s

    def count_reader(self, change: int) -> None:
        """Count an open page, 1 as it opens and -1 as it closes."""
        with self._lock:
            self._readers += change

    def newest(self, camera: str) -> tuple[int, LiveFrame | None]:
        """
        Return the newest frame of a camera and its number.

        One that was offered while nobody looked on is old, and is not shown as of now.
        """
        with self._lock:
            entry = self._cameras[camera]
            return entry.number, entry.frame

    def forget_unwatched(self) -> None:
        """Free the frames of cameras at which nobody looks any more."""
        with self._lock:
            for name, entry in self._cameras.items():
                if entry.frame is not None and not self.is_watched(name):
                    entry.frame = None

    def sample(self, camera: str) -> tuple[Sample, Row]:
        with self._lock:
            entry = self._cameras[camera]
            return entry.sample, entry.row

    def rows(self, camera: str) -> tuple[Row, ...]:
        """Return the rows of the last minutes; see :data:`espnet_ros.web.history.COLUMNS`."""
        with self._lock:
            return self._cameras[camera].history.rows

    def ground(self) -> tuple[float, Ground] | None:
        return self._ground

    def _tell(self, what: str, camera: str) -> None:
        for listener in self._listeners:
            listener(what, camera)
