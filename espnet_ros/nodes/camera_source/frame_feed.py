"""A thread that prepares the frames of a source ahead of time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
import threading
from typing import Generic, TypeVar

from espnet_ros.exceptions import EspnetError
from espnet_ros.sources import BrokenFrame, Frame, Source

PreparedT = TypeVar('PreparedT')

_AHEAD = 2


class FrameFeed(Generic[PreparedT]):
    """
    Reads a source in a thread of its own and keeps two prepared frames at hand.

    It reads while frames are wanted, and waits while both are there. A live source does not wait:
    its oldest frame goes then. While no frame is wanted, it keeps its place in the source and what
    it has at hand; of a live source nothing is kept, so that the next frame is a new one. The
    first frame, which may take long, is read before it is wanted, unless the source is live.

    :param source: is iterated in the thread
    :param prepare: makes of a frame what is handed on; runs in the thread
    :param report_broken: is told of each frame that cannot be read; runs in the thread
    """

    def __init__(
        self,
        source: Source,
        prepare: Callable[[Frame], PreparedT],
        report_broken: Callable[[BrokenFrame], None],
    ) -> None:
        self._source = source
        self._prepare = prepare
        self._report_broken = report_broken
        self._ready: deque[PreparedT] = deque(maxlen=_AHEAD)
        self._changed = threading.Condition()
        self._is_wanted = False
        self._has_read = False
        self._has_paused = True
        self._is_closing = False
        self._has_ended = False
        self._error = ''
        self._thread = threading.Thread(target=self._run, name='frame_feed')

    @property
    def has_ended(self) -> bool:
        """Return whether every frame was taken and no more will come."""
        with self._changed:
            return self._has_ended and not self._ready

    @property
    def error(self) -> str:
        with self._changed:
            return self._error

    def start(self) -> None:
        self._thread.start()

    def want(self, is_wanted: bool) -> None:
        """Say whether somebody takes frames."""
        with self._changed:
            self._is_wanted = is_wanted
            if not is_wanted:
                self._has_paused = True
                if self._source.is_live:
                    self._ready.clear()
            self._changed.notify_all()

    def take(self) -> PreparedT | None:
        """Return the next frame, None where it is not ready; never waits."""
        with self._changed:
            self._changed.notify_all()
            return self._ready.popleft() if self._ready else None

    def close(self) -> None:
        """End the thread; waits for the frame that it is reading."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        error = ''
        try:
            self._read()
        except EspnetError as failure:
            error = str(failure)
        except Exception as failure:  # noqa: BLE001  (the thread's outermost frame)
            error = f'{type(failure).__name__}: {failure}'
        with self._changed:
            self._error, self._has_ended = error, True

    def _read(self) -> None:
        frames = iter(self._source)
        while self._wait_for_room():
            frame = next(frames, None)
            if frame is None:
                return
            if isinstance(frame, BrokenFrame):
                self._report_broken(frame)
            else:
                self._put(self._prepare(frame))

    def _wait_for_room(self) -> bool:
        """Wait until a frame is to be read; return False where the feed is to end instead."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closing or self._has_room())
            if self._is_closing:
                return False
            has_paused, self._has_paused = self._has_paused, False
        if has_paused:
            self._source.catch_up()
        return True

    def _has_room(self) -> bool:
        if self._source.is_live:
            return self._is_wanted
        return not self._has_read or (self._is_wanted and len(self._ready) < _AHEAD)

    def _put(self, prepared: PreparedT) -> None:
        with self._changed:
            self._has_read = True
            # A live frame that was read before a pause is old.
            if not (self._source.is_live and self._has_paused):
                self._ready.append(prepared)
