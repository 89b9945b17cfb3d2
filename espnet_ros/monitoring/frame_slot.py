"""Where the camera callbacks leave their newest frame for the worker thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
import threading
import time
from typing import Generic, TypeVar

FrameT = TypeVar('FrameT')

_LONGEST_WAIT_S = 3600.0  # Condition.wait takes no arbitrarily large numbers


class FrameSlots(Generic[FrameT]):
    """
    One slot a camera, in which the newest frame wins.

    Putting never blocks: a frame that still waits is replaced and counts as dropped. So the
    worker always has the newest frame of every camera, however slow it is, and memory does
    not grow. All methods may be called from any thread.

    :param cameras: the camera names, in the order of the batch
    :param clock: a clock that never goes back, in seconds
    """

    def __init__(
        self, cameras: Sequence[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._cameras = tuple(cameras)
        self._clock = clock
        self._waiting: dict[str, FrameT] = {}
        self._dropped: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._stopped = self._paused = False

    def put(self, camera: str, frame: FrameT) -> bool:
        """
        Leave a frame.

        :return: whether it replaced one that waited; that one counts as dropped
        """
        with self._changed:
            replaced = camera in self._waiting
            self._dropped[camera] += replaced
            self._waiting[camera] = frame
            self._changed.notify()
            return replaced

    def take_all(
        self,
        not_before_s: Callable[[], float] = lambda: 0.0,
        when_taken: Callable[[], None] = lambda: None,
    ) -> dict[str, FrameT] | None:
        """
        Wait until a frame is there, and take the newest of every camera that has one.

        :param not_before_s: returns the time to wait for, by the clock; frames that come
            meanwhile replace each other. It is asked again after :meth:`wake`
        :param when_taken: is called as frames are taken, so that they are either here or counted
            by it at any moment
        :return: the frames by camera name, in the order of the cameras, or None when stopped
        """
        with self._changed:
            while not self._stopped:
                early_s = not_before_s() - self._clock()
                has_work = bool(self._waiting) and not self._paused
                if has_work and early_s <= 0:
                    taken = {c: self._waiting[c] for c in self._cameras if c in self._waiting}
                    self._waiting.clear()
                    when_taken()
                    return taken
                self._changed.wait(min(early_s, _LONGEST_WAIT_S) if has_work else None)
            return None

    def take_waiting(self, is_allowed: Callable[[], bool] = lambda: True) -> dict[str, FrameT]:
        """
        Take what waits now, without waiting; nothing while it is paused or stopped.

        :param is_allowed: tells whether frames may be taken; nobody else takes any between its
            answer and this
        """
        with self._changed:
            if self._paused or self._stopped or not is_allowed():
                return {}
            taken, self._waiting = self._waiting, {}
            return taken

    def dropped(self, camera: str) -> int:
        """Return how many frames of a camera were replaced while they waited."""
        with self._changed:
            return self._dropped[camera]

    def clear(self) -> None:
        """Forget the frames that wait; they do not count as dropped."""
        with self._changed:
            self._waiting.clear()

    def wake(self) -> None:
        """Let whoever waits for a time ask for it again."""
        with self._changed:
            self._changed.notify_all()

    def pause(self) -> None:
        """Give out no frames until :meth:`resume`; the newest ones wait."""
        with self._changed:
            self._paused = True

    def resume(self) -> None:
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    def stop(self) -> None:
        """Wake whoever waits, and give out no more frames."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
