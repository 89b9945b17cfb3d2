"""In which order batches go through the worker's two threads, whatever holds them up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
import queue
import threading
from types import SimpleNamespace

from espnet_ros.monitoring.frame_slot import FrameSlots
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')

from espnet_ros.nodes.segmentation import worker as worker_module
from espnet_ros.nodes.segmentation.worker import SegmentationWorker, STALE_S, Turns

pytestmark = pytest.mark.ros

LIMIT_S = 20.0


class HeldPipeline:
    """A pipeline that says what it prepares and publishes, and waits where it is told to."""

    def __init__(self) -> None:
        self.preparing: queue.Queue[int] = queue.Queue()
        self.published: queue.Queue[int] = queue.Queue()
        self.may_prepare = {frame: threading.Event() for frame in (1, 2, 3)}
        self.may_infer = threading.Event()

    def prepare(self, batch: Mapping[str, int]) -> int:
        self.preparing.put(batch['front'])
        assert self.may_prepare[batch['front']].wait(LIMIT_S)
        return batch['front']

    def infer(self, prepared: int) -> int:
        assert self.may_infer.wait(LIMIT_S)
        return prepared

    def publish(self, inferred: int) -> None:
        self.published.put(inferred)

    def give_way(self, batch: Mapping[str, int], newer: Mapping[str, int]) -> None:
        assert newer['front'] > batch['front']


def hold_two_batches(slots: FrameSlots[int], pipeline: HeldPipeline) -> None:
    """Have both threads prepare a frame each, and a third frame wait for longer than one may."""
    for frame in (1, 2):
        slots.put('front', frame)
        assert pipeline.preparing.get(timeout=LIMIT_S) == frame
    slots.put('front', 3)
    threading.Event().wait(2 * STALE_S)  # so that a batch looks for newer frames


def test_a_batch_that_was_held_up_takes_no_frames_newer_than_those_of_the_batch_behind_it():
    slots, pipeline = FrameSlots(['front']), HeldPipeline()
    pipeline.may_infer.set()
    worker = SegmentationWorker(SimpleNamespace(), slots, pipeline, lambda: 0.0)
    worker.start()
    try:
        hold_two_batches(slots, pipeline)
        for held in pipeline.may_prepare.values():
            held.set()
        masks = [pipeline.published.get(timeout=LIMIT_S)]
        while masks[-1] != 3:
            masks.append(pipeline.published.get(timeout=LIMIT_S))
    finally:
        worker.stop()
    while not pipeline.published.empty():
        masks.append(pipeline.published.get())
    assert masks == sorted(masks)
    assert masks[0] == 1


def test_nobody_takes_the_newest_frame_from_a_batch_whose_turn_on_the_device_has_come(monkeypatch):
    may_enter = threading.Event()

    class LateTurns(Turns):
        """Turns whose second thread wakes up late."""

        @contextmanager
        def take(self, ticket: int) -> Iterator[None]:
            with super().take(ticket):
                assert ticket != 1 or may_enter.wait(LIMIT_S)
                yield

    monkeypatch.setattr(worker_module, 'Turns', LateTurns)
    slots, pipeline = FrameSlots(['front']), HeldPipeline()
    for held in pipeline.may_prepare.values():
        held.set()
    worker = SegmentationWorker(SimpleNamespace(), slots, pipeline, lambda: 0.0)
    worker.start()
    try:
        hold_two_batches(slots, pipeline)
        pipeline.may_infer.set()
        assert pipeline.published.get(timeout=LIMIT_S) == 1
        with pytest.raises(queue.Empty):
            pipeline.preparing.get(timeout=20 * STALE_S)
        may_enter.set()
        assert pipeline.preparing.get(timeout=LIMIT_S) == 3
        assert pipeline.published.get(timeout=LIMIT_S) == 3
    finally:
        may_enter.set()
        worker.stop()
