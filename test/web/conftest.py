"""A live view that is served, and a browser that looks at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import threading
import time

from espnet_ros.labels import LabelSet
from espnet_ros.web.live_view import LiveView
from espnet_ros.web.records import LiveFrame
import numpy as np
import pytest

pytest.importorskip('aiohttp', reason='the live view needs aiohttp (extra web)')

from chromium import Chromium, chromium, find_chromium
from espnet_ros.web.server import WebServer

LABELS = LabelSet.from_names(('road', 'car', 'tree'))


def make_frame(number: int, *, height: int = 48, width: int = 64) -> LiveFrame:
    """Return a frame whose columns up to the number are cars, on a gray of that number."""
    labels = np.zeros((height, width), np.uint8)
    labels[:, : number % width] = 1
    labels[: height // 4] = 2
    image_bgr = np.full((height, width, 3), number % 256, np.uint8)
    confidence = np.full((height, width), 204, np.uint8)
    return LiveFrame(lambda: (image_bgr, 'bgr8'), labels, LABELS, 255, 1e9, confidence)


@dataclass(frozen=True)
class Served:
    """A live view and its server."""

    view: LiveView
    server: WebServer


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Return a function that serves a live view until the test ends."""
    servers: list[WebServer] = []

    def start(cameras: tuple[str, ...] = ('',), **arguments: object) -> Served:
        view = LiveView('test', cameras)
        server = WebServer(view, **arguments)
        servers.append(server)
        return Served(view, server)

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    """Return a live view of one camera, served on the loopback address."""
    return serve()


@contextmanager
def camera_of(view: LiveView) -> Iterator[None]:
    """Give 50 frames per second to the only camera of a live view."""
    ended = threading.Event()

    def give() -> None:
        number = 0
        while not ended.wait(0.02):
            number += 1
            view.offer('', make_frame(number))

    thread = threading.Thread(target=give)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.fixture
def moving(served: Served) -> Iterator[Served]:
    """Return a live view whose camera moves."""
    with camera_of(served.view):
        yield served


def wait_until(condition: Callable[[], object], limit_s: float = 10.0) -> None:
    """Wait for what nothing tells."""
    end_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end_s, 'it did not come to pass'
        time.sleep(0.01)


@pytest.fixture(scope='session')
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    path = find_chromium()
    if path is None:
        pytest.skip('no chromium here: sudo apt-get install chromium')
    with chromium(path, tmp_path_factory.mktemp('profile')) as running:
        yield running
