"""The numbers, statuses and the view from above as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
import json
import math
import time
from typing import Any

from aiohttp import web
from espnet_ros.monitoring.health import Status
from espnet_ros.version import VERSION
from espnet_ros.web.history import COLUMNS, KEPT_S, Row
from espnet_ros.web.live_view import LiveView
from espnet_ros.web.records import Ground
from espnet_ros.web.wakeups import Topic, Wakeups

GROUND_PERIOD_S = 0.15
QUIET_S = 5.0
"""After so long without news something is sent, so that a dead connection is noticed."""
STALLED_S = 20.0
_LOOK_S = 1.0
"""After so long at most it is seen that a browser went."""


async def send_events(
    request: web.Request,
    response: web.StreamResponse,
    view: LiveView,
    wakeups: Wakeups,
    camera: str,
) -> None:
    """
    Send what is new until the browser goes.

    What came while a slow browser did not read is sent once, as it is then.

    :raises ConnectionError: the browser went
    :raises asyncio.TimeoutError: it reads no more
    """
    event = asyncio.Event()
    topics = wakeups.subscribe(event)
    view.count_reader(1)
    try:
        topics |= {(name, '') for name in ('hello', 'statuses', 'ground')}
        topics |= {('history', camera), ('sample', camera)}
        ground_s = sent_s = -math.inf
        while not wakeups.has_ended and request.transport is not None:
            news, pause_s = set(topics), 0.0
            topics.clear()
            event.clear()
            if ('ground', '') in news:
                pause_s = ground_s + GROUND_PERIOD_S - time.monotonic()
                if pause_s > 0:
                    news.discard(('ground', ''))
                    topics.add(('ground', ''))
                else:
                    ground_s = time.monotonic()
            text = ''.join(_messages(view, camera, news))
            if not text and time.monotonic() - sent_s > QUIET_S:
                text = ': quiet\n\n'
            if text:
                sent_s = time.monotonic()
                await asyncio.wait_for(response.write(text.encode()), STALLED_S)
            try:
                await asyncio.wait_for(event.wait(), pause_s if pause_s > 0 else _LOOK_S)
            except asyncio.TimeoutError:
                continue
    finally:
        view.count_reader(-1)
        wakeups.unsubscribe(event)


def _messages(view: LiveView, camera: str, news: set[Topic]) -> Iterator[str]:
    if ('hello', '') in news or ('model', '') in news:
        yield _message('hello', _hello(view))
    if camera not in view.cameras:
        news -= {('history', camera), ('sample', camera)}
    if ('history', camera) in news:
        rows = [_finite(row) for row in view.rows(camera)]
        yield _message('history', {'columns': COLUMNS, 'rows': rows, 'kept_s': KEPT_S})
    if ('sample', camera) in news:
        yield _message('sample', _sample(view, camera))
    if ('statuses', '') in news:
        yield _message('statuses', [_status(status) for status in view.statuses])
    ground = view.ground()
    if ('ground', '') in news and ground is not None:
        yield _message('ground', _ground(*ground))


def _message(name: str, content: Any) -> str:
    return f'event: {name}\ndata: {json.dumps(content, separators=(",", ":"))}\n\n'


def _hello(view: LiveView) -> dict[str, Any]:
    return {
        'title': view.title,
        'cameras': view.cameras,
        'version': VERSION,
        'model': dict(view.model),
    }


def _sample(view: LiveView, camera: str) -> dict[str, Any]:
    sample, row = view.sample(camera)
    return {
        'row': _finite(row),
        'dropped': sample.dropped,
        'throttling': sample.throttling,
        'power_scope': sample.power_scope,
    }


def _status(status: Status) -> dict[str, Any]:
    return {
        'name': status.name,
        'level': status.level.name,
        'message': status.message,
        'values': dict(status.values),
    }


def _ground(came_s: float, ground: Ground) -> dict[str, Any]:
    return {
        'age_s': round(time.monotonic() - came_s, 2),
        'range_m': ground.range_m,
        'frame_id': ground.frame_id,
        'outline': _rounded(ground.outline),
        'hits': _rounded(ground.hits),
        'obstacles': [
            [round(each.x_m, 2), round(each.y_m, 2), each.class_id] for each in ground.obstacles
        ],
    }


def _rounded(points: tuple[tuple[float, float], ...]) -> list[list[float]]:
    return [[round(x, 2), round(y, 2)] for x, y in points if math.isfinite(x) and math.isfinite(y)]


def _finite(row: Row) -> list[float | None]:
    """Return a row for JSON, which has no NaN."""
    return [None if v is None or not math.isfinite(v) else round(v, 4) for v in row]
