"""The thread that segments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import threading
import time
import traceback

from espnet_ros.nodes.segmentation.camera import Frame
from espnet_ros.nodes.segmentation.frame_slot import FrameSlots
from espnet_ros.nodes.segmentation.pipeline import FramePipeline
from rclpy.node import Node


class SegmentationWorker:
    """
    Takes the newest frames and runs the pipeline on them, until it is stopped.

    The thread is not a daemon, and :meth:`stop` joins it: one that still publishes while
    the process ends would abort it.

    :param node: whose logger and context it uses
    :param slots: where the frames come from; it is stopped with the worker
    :param pipeline: what is done with them
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
        self._busy = threading.Lock()
        self._last_start_s = 0.0
        self._thread = threading.Thread(target=self._run, name='segmentation')

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the batch in flight and end."""
        self._slots.stop()
        if self._thread.is_alive():
            self._thread.join()

    def set_enabled(self, enabled: bool, limit_s: float) -> bool:
        """
        Let it work or rest.

        :param limit_s: how long to wait for the batch in flight
        :return: whether nothing is in flight any more, or work was allowed
        """
        self._enabled = enabled
        if enabled:
            return True
        self._slots.clear()
        idle = self._busy.acquire(timeout=limit_s)
        if idle:
            self._busy.release()
        return idle

    @contextmanager
    def between_batches(self) -> Iterator[None]:
        """Let no batch begin for as long as the context lasts; new frames wait."""
        with self._busy:
            yield

    def _next_start_s(self) -> float:
        rate_hz = self._max_rate_hz()
        return self._last_start_s + 1 / rate_hz if rate_hz else 0.0

    def _run(self) -> None:
        while (batch := self._slots.take_all(self._next_start_s)) is not None:
            self._last_start_s = time.monotonic()
            with self._busy:
                if not self._enabled:
                    continue
                try:
                    self._pipeline.process(batch)
                except Exception as error:  # noqa: BLE001  (the thread's outermost frame)
                    if not self._node.context.ok():
                        return  # ROS was shut down under it
                    self._pipeline.fail(batch, f'{type(error).__name__}: {error}')
                    self._node.get_logger().error(
                        f'a frame failed: {traceback.format_exc()}', throttle_duration_sec=5.0
                    )
