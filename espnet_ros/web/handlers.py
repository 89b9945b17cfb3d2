"""What the server answers: the page, pictures and events. It only reads, and knows no files."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
import logging
import time
from typing import Any

from aiohttp import web
from espnet_ros.exceptions import InputError
from espnet_ros.web.access import Access, is_foreign
from espnet_ros.web.events import send_events, STALLED_S
from espnet_ros.web.limits import Connections, Pacer, RequestMeter
from espnet_ros.web.live_view import LiveView
from espnet_ros.web.pictures import describe_labels, Look, Picture, PictureEncoder
from espnet_ros.web.queries import PictureQuery, read_camera, read_picture_query
from espnet_ros.web.records import LiveFrame
from espnet_ros.web.site import read_site, SECURITY_HEADERS
from espnet_ros.web.wakeups import Wakeups

logger = logging.getLogger(__name__)

PATIENCE_S = 10.0
"""For how long a request waits for a newer picture."""
_BOUNDARY = 'espnet-ros-picture'
_LOG_PERIOD_S = 5.0
_FAREWELL_S = 0.1

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Handlers:
    """
    Answers requests, in the server's event loop.

    :ivar connections: counts those of the server; set by it
    """

    def __init__(self, view: LiveView, access: Access, wakeups: Wakeups) -> None:
        self._view = view
        self._access = access
        self._wakeups = wakeups
        self._site = read_site()
        self._encoder = PictureEncoder()
        self._pacer = Pacer()
        self._meter = RequestMeter()
        self._logged_s = -_LOG_PERIOD_S
        self.connections: Connections | None = None

    def application(self) -> web.Application:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._guard(request, handler)

        application = web.Application(middlewares=[guard])
        application.on_response_prepare.append(_add_headers)
        application.router.add_get('/', self._index)
        for path in self._site:
            application.router.add_get(f'/{path}', self._file)
        application.router.add_get('/frame', self._frame)
        application.router.add_get('/events', self._events)
        application.router.add_get('/overlay.jpg', self._overlay)
        application.router.add_get('/overlay.mjpg', self._stream)
        return application

    async def end(self) -> None:
        """Let every answer that is under way come to its end."""
        self._wakeups.end()
        await asyncio.sleep(_FAREWELL_S)

    def close(self) -> None:
        self._encoder.close()

    def rest(self) -> None:
        """Free what nobody looks at any more."""
        self._view.forget_unwatched()
        if not any(self._view.is_watched(name) for name in self._view.cameras):
            self._encoder.forget()

    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse what may not be answered, and answer the rest."""
        if self.connections is not None and request.protocol is not None:
            self.connections.spoke(request.protocol)
        refusal = self._refusal(request)
        if refusal is not None:
            refusal.force_close()
            return refusal
        try:
            return await handler(request)
        except InputError as error:
            return _text(400, str(error))
        except web.HTTPException as error:
            return _text(error.status, f'{error.reason}: {request.path[:64]!r}')
        except (ConnectionError, asyncio.TimeoutError):
            raise
        except Exception:
            if time.monotonic() - self._logged_s > _LOG_PERIOD_S:
                self._logged_s = time.monotonic()
                logger.exception('a request of the live view failed')
            return _text(500, 'the live view failed; its log says why')

    def _refusal(self, request: web.Request) -> web.Response | None:
        if not self._meter.allows(request.remote or ''):
            return _text(429, 'too many requests; slow down', {'Retry-After': '1'})
        if request.method not in ('GET', 'HEAD') or request.body_exists:
            return _text(405, 'expected GET without a body: nothing can be changed here')
        if len(request.headers.getall('Host', [])) != 1 or not self._access.knows_host(
            request.headers['Host']
        ):
            return _text(403, 'the Host header names another machine; use the address as printed')
        if is_foreign(request.headers):
            return _text(403, 'requested by a page of another site')
        if not self._access.knows_token(self._token_of(request)):
            return _text(403, 'expected the token; use the address as it was printed')
        return None

    def _token_of(self, request: web.Request) -> str:
        scheme, _, token = request.headers.get('Authorization', '').partition(' ')
        if scheme.lower() == 'bearer':
            return token
        return request.query.get('token') or request.cookies.get(_cookie_name(request), '')

    async def _index(self, request: web.Request) -> web.StreamResponse:
        if 'token' not in request.query:
            return await self._file(request)
        # The token goes from the address, which is shown and kept, into a cookie.
        response = web.Response(status=303, headers={'Location': '/'})
        response.set_cookie(
            _cookie_name(request), request.query['token'], httponly=True, samesite='Lax'
        )
        return response

    async def _file(self, request: web.Request) -> web.StreamResponse:
        found = self._site[request.path[1:] or 'index.html']
        return web.Response(
            body=found.content,
            headers={'Content-Type': found.content_type, 'Cache-Control': 'no-cache'},
        )

    async def _frame(self, request: web.Request) -> web.StreamResponse:
        """Answer with camera, mask and facts of a newer picture, or with nothing in time."""
        query = read_picture_query(request.query, self._view.cameras)
        picture, number, frame = await self._next(
            request, query, Look(query.width, query.confidence)
        )
        if picture is None or frame is None:
            return web.Response(status=204)
        key, labels = describe_labels(frame.label_set, frame.unlabelled_id)
        facts: dict[str, Any] = {'number': number, 'labels': key}
        if key != query.labels:
            facts['label_set'] = labels
        return web.Response(
            body=picture.packed(facts), content_type='application/octet-stream', headers=_FRESH
        )

    async def _overlay(self, request: web.Request) -> web.StreamResponse:
        query = read_picture_query(request.query, self._view.cameras)
        picture, _, _ = await self._next(request, query, Look(query.width, alpha=query.alpha))
        if picture is None:
            return _text(503, 'no picture yet')
        return web.Response(body=picture.parts[0][1], content_type='image/jpeg', headers=_FRESH)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """Answer with overlays as MJPEG for as long as they are read."""
        query = read_picture_query(request.query, self._view.cameras)
        look, number = Look(query.width, alpha=query.alpha), query.after
        response = web.StreamResponse(headers=_FRESH)
        response.content_type = f'multipart/x-mixed-replace; boundary={_BOUNDARY}'
        await response.prepare(request)
        with suppress(ConnectionError, asyncio.TimeoutError):
            while not self._wakeups.has_ended and request.transport is not None:
                began_s = time.monotonic()
                picture, number, _ = await self._next(request, query, look, number)
                if picture is None:
                    continue
                data = picture.parts[0][1]
                head = (
                    f'--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\n'
                    f'Content-Length: {len(data)}\r\n\r\n'
                ).encode()
                await asyncio.wait_for(response.write(head + data + b'\r\n'), STALLED_S)
                rest_s = began_s + 1 / query.rate_hz - time.monotonic()
                await asyncio.sleep(max(rest_s, 0.0))
        return response

    async def _events(self, request: web.Request) -> web.StreamResponse:
        # Before there is a camera a page waits for one.
        cameras = self._view.cameras
        camera = read_camera(request.query, cameras) if cameras else ''
        response = web.StreamResponse(headers=_FRESH)
        response.content_type = 'text/event-stream'
        await response.prepare(request)
        with suppress(ConnectionError, asyncio.TimeoutError):
            await send_events(request, response, self._view, self._wakeups, camera)
        return response

    async def _next(
        self,
        request: web.Request,
        query: PictureQuery,
        look: Look,
        after: int | None = None,
    ) -> tuple[Picture | None, int, LiveFrame | None]:
        """Return the first picture newer than that which is there, or None in time."""
        view, camera = self._view, query.camera
        after = query.after if after is None else after
        view.watch(camera, confidence=query.confidence)
        await asyncio.sleep(self._pacer.wait_s())
        end_s = time.monotonic() + PATIENCE_S
        while True:
            number, frame = view.newest(camera)
            if frame is not None and number != after:
                picture = self._encoder.encode(camera, number, frame, look)
                return await asyncio.wrap_future(picture), number, frame
            left_s = end_s - time.monotonic()
            if left_s <= 0 or self._wakeups.has_ended or request.transport is None:
                return None, after, None
            view.watch(camera, confidence=query.confidence)
            await self._wakeups.wait(('frame', camera), min(left_s, 1.0))


_FRESH = {'Cache-Control': 'no-store'}


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(SECURITY_HEADERS)


def _cookie_name(request: web.Request) -> str:
    """Return a name that differs by port, as cookies do not."""
    return 'espnet_ros_' + ''.join(c for c in request.host.rpartition(':')[2] if c.isdigit())


def _text(status: int, text: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, text=f'{text}\n', headers={**(headers or {}), **_FRESH})
