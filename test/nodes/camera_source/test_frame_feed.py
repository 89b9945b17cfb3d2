"""The thread that prepares frames ahead of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import queue
import threading

import numpy as np
import pytest

pytest.importorskip('rclpy')

from espnet_ros.exceptions import InputError
from espnet_ros.nodes.camera_source.frame_feed import FrameFeed
from espnet_ros.sources import BrokenFrame, Frame, Source
from time_limits import message_limit_s

LIMIT_S = message_limit_s()
SHORT_S = 0.2


class Counting(Source):
    """Gives frames 0, 1, 2 ...; tells how far it was read, and ends as it is told to."""

    def __init__(self, count: int, *, ending: Exception | None = None, live: bool = False) -> None:
        super().__init__('counting')
        self.count = count
        self.ending = ending
        self.is_live = live  # type: ignore[misc]
        self.read = threading.Semaphore(0)

    def _frames(self) -> Iterator[Frame | BrokenFrame]:
        for index in range(self.count):
            self.read.release()
            yield Frame(str(index), index, np.zeros((2, 2, 3), np.uint8))
        self.read.release()
        if self.ending is not None:
            raise self.ending


class Camera(Source):
    """Gives what a test puts in; what waits is dropped where it is to catch up."""

    is_live = True

    def __init__(self) -> None:
        super().__init__('camera')
        self.waiting: queue.Queue[int] = queue.Queue()
        self.has_caught_up = threading.Event()

    def catch_up(self) -> None:
        while not self.waiting.empty():
            self.waiting.get()
        self.has_caught_up.set()

    def _frames(self) -> Iterator[Frame | BrokenFrame]:
        while (index := self.waiting.get()) >= 0:
            yield Frame(str(index), index, np.zeros((2, 2, 3), np.uint8))


def make_feed(
    source: Source, prepare: Callable[[Frame], int] = lambda frame: frame.index
) -> FrameFeed[int]:
    return FrameFeed(source, prepare, lambda _: None)


def start(source: Source) -> FrameFeed[int]:
    """Return a feed whose frames are wanted."""
    feed = make_feed(source)
    feed.want(True)
    feed.start()
    return feed


def take_all(feed: FrameFeed[int]) -> list[int]:
    taken: list[int] = []
    expired = threading.Event()
    timer = threading.Timer(LIMIT_S, expired.set)
    timer.start()
    while not feed.has_ended and not expired.is_set():
        index = feed.take()
        if index is not None:
            taken.append(index)
    timer.cancel()
    return taken


def wait_for_reads(source: Counting, count: int) -> None:
    for _ in range(count):
        assert source.read.acquire(timeout=LIMIT_S)


def test_every_frame_is_handed_on_once_and_in_order() -> None:
    feed = start(Counting(50))
    assert take_all(feed) == list(range(50))
    assert feed.error == ''
    feed.close()


def test_it_reads_two_ahead_and_waits() -> None:
    source = Counting(50)
    feed = start(source)
    wait_for_reads(source, 2)
    assert not source.read.acquire(timeout=SHORT_S)
    assert feed.take() == 0
    wait_for_reads(source, 1)
    feed.close()


def test_one_frame_is_read_before_it_is_wanted_and_the_others_after() -> None:
    source = Counting(50)
    feed = make_feed(source)
    feed.start()
    wait_for_reads(source, 1)
    assert not source.read.acquire(timeout=SHORT_S)
    feed.want(True)
    wait_for_reads(source, 1)
    assert not source.read.acquire(timeout=SHORT_S)
    feed.close()


def test_nothing_of_a_live_source_is_read_before_it_is_wanted() -> None:
    source = Counting(50, live=True)
    feed = make_feed(source)
    feed.start()
    assert not source.read.acquire(timeout=SHORT_S)
    feed.want(True)
    wait_for_reads(source, 1)
    feed.close()


def test_a_source_without_a_readable_frame_ends_before_one_is_wanted() -> None:
    source = Counting(0, ending=InputError('no frame'))
    feed = make_feed(source)
    feed.start()
    assert take_all(feed) == []
    assert feed.error == 'no frame'
    feed.close()


def test_a_file_keeps_its_place_while_nothing_is_wanted() -> None:
    source = Counting(5)
    feed = start(source)
    wait_for_reads(source, 2)
    feed.want(False)
    assert feed.take() == 0
    assert not source.read.acquire(timeout=SHORT_S)
    feed.want(True)
    assert take_all(feed) == [1, 2, 3, 4]
    feed.close()


def test_after_a_pause_a_live_source_gives_what_it_sees_then() -> None:
    camera = Camera()
    paused = threading.Event()

    def prepare(frame: Frame) -> int:
        if frame.index == 2:  # nobody listens any more, while it was being read
            feed.want(False)
            paused.set()
        return frame.index

    feed = make_feed(camera, prepare)
    feed.want(True)
    feed.start()
    assert camera.has_caught_up.wait(LIMIT_S)
    camera.has_caught_up.clear()
    for index in (0, 1, 2, 3, 4):
        camera.waiting.put(index)
    assert paused.wait(LIMIT_S)
    assert not camera.has_caught_up.wait(SHORT_S)
    assert feed.take() is None
    feed.want(True)
    assert camera.has_caught_up.wait(LIMIT_S)
    for index in (5, -1):
        camera.waiting.put(index)
    assert take_all(feed) == [5]
    feed.close()


def test_live_source_is_never_held_up_and_its_newest_frames_stay() -> None:
    source = Counting(50, live=True)
    feed = start(source)
    wait_for_reads(source, 51)
    feed.close()
    assert take_all(feed) == [48, 49]


@pytest.mark.parametrize(
    ('ending', 'message'),
    [
        (InputError('breaks off'), 'breaks off'),
        (ZeroDivisionError('by zero'), 'ZeroDivisionError: by zero'),
    ],
)
def test_error_is_told_after_the_frames_before_it(ending: Exception, message: str) -> None:
    feed = start(Counting(3, ending=ending))
    assert take_all(feed) == [0, 1, 2]
    assert feed.error == message
    feed.close()


def test_nothing_is_taken_before_it_starts_and_close_may_come_at_any_time() -> None:
    feed = make_feed(Counting(5))
    assert feed.take() is None
    assert not feed.has_ended
    feed.close()
    waiting = start(Counting(5))
    waiting.close()
    waiting.close()
    unwanted = make_feed(Counting(5))
    unwanted.start()
    unwanted.close()


def test_broken_frames_are_told_and_left_out() -> None:
    class Broken(Counting):
        def _frames(self) -> Iterator[Frame | BrokenFrame]:
            yield BrokenFrame('a', 0, 'no image')
            yield from super()._frames()

    told: list[BrokenFrame] = []
    feed = FrameFeed(Broken(2), lambda frame: frame.index, told.append)
    feed.want(True)
    feed.start()
    assert take_all(feed) == [0, 1]
    assert [frame.reason for frame in told] == ['no image']
    feed.close()
