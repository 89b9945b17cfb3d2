"""The server of the live view: a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
import logging
import socket
import threading
from typing import TYPE_CHECKING

from espnet_ros.exceptions import ConfigError, RuntimeUnavailableError
from espnet_ros.web.access import Access, is_loopback
from espnet_ros.web.limits import Connections
from espnet_ros.web.live_view import LiveView

if TYPE_CHECKING:
    from aiohttp import web

KEEP_ALIVE_S = 30.0
_STALLED_MS = 20_000
_SWEEP_S = 2.0
_END_S = 1.0
_BACKLOG = 128


class WebServer:
    """
    Shows a live view to browsers, from the moment it is made until it is closed.

    :param host: address to listen on; only 127.0.0.1 needs no token
    :param port: 0 takes one that is free
    :param token: what a viewer must know; None makes one where it is needed
    :raises RuntimeUnavailableError: aiohttp is not installed
    :raises ConfigError: the address is not one of this machine, or in use

    :ivar address: what to open in a browser, with the token where one is needed
    """

    def __init__(
        self, view: LiveView, host: str = '127.0.0.1', port: int = 0, token: str | None = None
    ) -> None:
        try:
            import aiohttp  # noqa: F401, PLC0415  (may be missing)
        except ImportError as error:
            raise RuntimeUnavailableError(
                f'the live view needs {error.name}, which is not installed: '
                "pip install 'espnet-ros[web]', or sudo apt install python3-aiohttp"
            ) from error
        self._view = view
        self._access = Access(host, token)
        self._socket = _listen(host, port)
        self.port = int(self._socket.getsockname()[1])
        self.address = _address(host, self.port, self._access.token)
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name='web')
        self._thread.start()
        started.result()

    def close(self) -> None:
        """Close every connection and end the thread; may be called more than once."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join()

    def __enter__(self) -> WebServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, started: Future[None]) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve(started))
        except Exception as error:  # noqa: BLE001  (the thread's outermost frame)
            if started.done():
                logging.getLogger(__name__).error('the live view ended: %s', error)
            else:
                started.set_exception(error)
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _serve(self, started: Future[None]) -> None:
        from aiohttp import web  # noqa: PLC0415  (may be missing)
        from espnet_ros.web.handlers import Handlers  # noqa: PLC0415
        from espnet_ros.web.wakeups import Wakeups  # noqa: PLC0415

        handlers = Handlers(self._view, self._access, Wakeups(self._view, self._loop))
        # What is no HTTP would be logged, a traceback each.
        silent = logging.Logger(__name__, logging.CRITICAL + 1)
        runner = web.AppRunner(
            handlers.application(),
            access_log=None,
            logger=silent,
            keepalive_timeout=KEEP_ALIVE_S,
        )
        await runner.setup()
        connections = Connections(_protocol_maker(runner))
        handlers.connections = connections
        server = await self._loop.create_server(connections, sock=self._socket, backlog=_BACKLOG)
        started.set_result(None)
        try:
            while not self._ended.is_set():
                try:
                    await asyncio.wait_for(self._ended.wait(), _SWEEP_S)
                except asyncio.TimeoutError:
                    connections.close_silent()
                    handlers.rest()
        finally:
            server.close()
            await handlers.end()
            connections.close()
            await runner.cleanup()
            await _cancel_rest()
            handlers.close()


def _protocol_maker(runner: web.AppRunner) -> web.Server:
    maker = runner.server
    assert maker is not None  # after setup
    return maker


async def _cancel_rest() -> None:
    """End what still waits for something new."""
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in rest:
        task.cancel()
    if rest:
        await asyncio.wait(rest, timeout=_END_S)


def _listen(host: str, port: int) -> socket.socket:
    """
    Return a socket that is bound.

    :raises ConfigError: it cannot be
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise ConfigError(
            f'web.host: expected an address of this machine, found {host!r} ({error.strerror})'
        ) from error
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Who reads no more loses the connection; those that are accepted inherit it.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _STALLED_MS)
    try:
        listener.bind(address)
    except (OSError, OverflowError) as error:
        listener.close()
        why = getattr(error, 'strerror', None) or error
        raise ConfigError(
            f'web.port: cannot listen on {host} port {port} ({why}); set another port'
        ) from error
    listener.setblocking(False)
    return listener


def _address(host: str, port: int, token: str) -> str:
    shown = host
    if host in ('0.0.0.0', '::', ''):
        shown = socket.gethostname()
    elif ':' in host:
        shown = f'[{host}]'
    elif is_loopback(host):
        shown = '127.0.0.1' if host == 'localhost' else host
    return f'http://{shown}:{port}/' + (f'?token={token}' if token else '')
