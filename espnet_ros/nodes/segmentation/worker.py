"""The threads that segment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
import threading
import time
import traceback
from typing import TypeVar

from espnet_ros.monitoring.frame_slot import FrameSlots
from espnet_ros.nodes.segmentation.camera.camera import Frame
from espnet_ros.nodes.segmentation.pipeline import FramePipeline, Prepared
from rclpy.node import Node

ResultT = TypeVar('ResultT')

THREADS = 2
_NEW_SHARE = 0.2
_EARLY_S = 0.0005
STALE_S = 0.002
"""Frames that waited for the device for so long give way to newer ones, if there are any."""


class DeviceForecast:
    """
    Tells when to prepare the next batch, so that it is ready as the device becomes free.

    Earlier would take an older image than need be; later would let the device wait. Durations
    are smoothed exponentially.

    :ivar prepare_s: how long it takes to prepare a batch
    """

    def __init__(self) -> None:
        self.prepare_s = self._infer_s = 0.0
        self._busy_since_s: float | None = None

    def begin(self, now_s: float) -> None:
        """Take that the device begins to work."""
        self._busy_since_s = now_s

    def end(self, now_s: float) -> None:
        """Take that the device is free."""
        if self._busy_since_s is not None:
            self._infer_s = _smooth(self._infer_s, now_s - self._busy_since_s)
        self._busy_since_s = None

    def prepared(self, duration_s: float) -> None:
        """Take how long it took to prepare a batch."""
        self.prepare_s = _smooth(self.prepare_s, duration_s)

    def next_start_s(self) -> float:
        """Return when to begin to prepare; 0 for now."""
        busy_since_s = self._busy_since_s
        if busy_since_s is None:
            return 0.0
        return busy_since_s + self._infer_s - self.prepare_s - _EARLY_S


class SegmentationWorker:
    """
    Takes the newest frames and runs the pipeline on them, until it is stopped.

    Two threads take turns: while the device works on the frames of one, the other publishes the
    masks before, or prepares the frames after. The device and the publishers are used by one
    thread at a time, in the order in which frames were taken.

    The threads are no daemons, and :meth:`stop` joins them: one that still publishes while
    the process ends would abort it.

    :param slots: where the frames come from; it is stopped with the worker
    :param max_rate_hz: returns the highest rate of this moment, 0 for none
    """

    def __init__(
        self,
        node: Node,
        slots: FrameSlots[Frame],
        pipeline: FramePipeline,
        max_rate_hz: Callable[[], float],
    ) -> None:
        self._node = node
        self._slots = slots
        self._pipeline = pipeline
        self._max_rate_hz = max_rate_hz
        self._enabled = True
        self._intake = threading.Lock()
        self._device, self._outlet = Turns(), Turns()
        self._forecast = DeviceForecast()
        self._changed = threading.Condition()
        self._in_flight = 0
        self._tickets = 0
        self._queued: set[int] = set()  # tickets of prepared batches that wait for the device
        self._last_start_s = 0.0
        self._threads = [
            threading.Thread(target=self._run, name='segmentation') for _ in range(THREADS)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._slots.stop()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def set_enabled(self, enabled: bool, limit_s: float) -> bool:
        """
        Let it work or rest.

        :param limit_s: how long to wait for the batches in flight
        :return: whether nothing is in flight any more, or work was allowed
        """
        self._enabled = enabled
        if enabled:
            return True
        self._slots.clear()
        with self._changed:
            return self._changed.wait_for(lambda: not self._in_flight, limit_s)

    @contextmanager
    def between_batches(self) -> Iterator[None]:
        """Let no batch be in flight for as long as the context lasts; new frames wait."""
        self._slots.pause()
        try:
            with self._changed:
                self._changed.wait_for(lambda: not self._in_flight)
            yield
        finally:
            self._slots.resume()

    def _run(self) -> None:
        while True:
            with self._intake:
                batch = self._slots.take_all(self._next_start_s, self._depart)
                if batch is None:
                    return
                ticket = self._tickets - 1
            try:
                self._work(batch, ticket)
            finally:
                with self._changed:
                    self._in_flight -= 1
                    self._changed.notify_all()

    def _depart(self) -> None:
        """Count a batch that is taken, before anybody can see it neither waiting nor in flight."""
        self._tickets += 1
        with self._changed:
            self._in_flight += 1
        self._last_start_s = time.monotonic()

    def _next_start_s(self) -> float:
        if self._queued:  # it gets what is newest when its turn comes: nobody else takes that
            return time.monotonic() + STALE_S
        rate_hz = self._max_rate_hz()
        allowed_s = self._last_start_s + 1 / rate_hz if rate_hz else 0.0
        return max(allowed_s, self._forecast.next_start_s())

    def _work(self, batch: Mapping[str, Frame], ticket: int) -> None:
        pipeline = self._pipeline
        taken_s = time.monotonic()
        stale_s = taken_s + self._forecast.prepare_s + STALE_S
        prepared = self._prepare(batch)
        inferred = None
        self._queued.add(ticket)
        with self._device.take(ticket):
            if time.monotonic() > stale_s and (newer := self._newer_than(ticket)):
                # The device took longer than it was expected to.
                pipeline.give_way(batch, newer)
                batch = {**batch, **newer}
                prepared = self._prepare(batch)
            self._queued.discard(ticket)
            if prepared is not None and self._enabled:
                self._forecast.begin(time.monotonic())
                inferred = self._attempt(batch, lambda: pipeline.infer(prepared))
                self._forecast.end(time.monotonic())
        self._slots.wake()
        with self._outlet.take(ticket):
            if inferred is not None:
                self._attempt(batch, lambda: pipeline.publish(inferred))

    def _newer_than(self, ticket: int) -> dict[str, Frame]:
        """Take what waits, unless older frames than that are in the batch behind this one."""
        return self._slots.take_waiting(lambda: self._tickets == ticket + 1)

    def _prepare(self, batch: Mapping[str, Frame]) -> Prepared | None:
        if not self._enabled:
            return None
        started_s = time.monotonic()
        prepared = self._attempt(batch, lambda: self._pipeline.prepare(batch))
        if prepared is not None:
            self._forecast.prepared(time.monotonic() - started_s)
        return prepared

    def _attempt(self, batch: Mapping[str, Frame], step: Callable[[], ResultT]) -> ResultT | None:
        try:
            return step()
        except Exception as error:  # noqa: BLE001  (the thread's outermost frame)
            if self._node.context.ok():  # else ROS was shut down under it
                self._pipeline.fail(batch, f'{type(error).__name__}: {error}')
                self._node.get_logger().error(
                    f'a frame failed: {traceback.format_exc()}', throttle_duration_sec=5.0
                )
            return None


def _smooth(before_s: float, new_s: float) -> float:
    return new_s if not before_s else before_s + _NEW_SHARE * (new_s - before_s)


class Turns:
    """
    A section that threads enter in the order of their tickets: 0, 1, 2 ...

    Whoever has a ticket must enter once, or those behind wait for ever.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._next = 0

    @contextmanager
    def take(self, ticket: int) -> Iterator[None]:
        """Wait for the turn of a ticket; the next one's begins when the context ends."""
        with self._changed:
            self._changed.wait_for(lambda: self._next == ticket)
        try:
            yield
        finally:
            with self._changed:
                self._next += 1
                self._changed.notify_all()
