"""
A real Chromium without a window, driven by its DevTools protocol.

Nothing but aiohttp, which the server under test needs too, and the browser of the distribution.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
import json
import os
from pathlib import Path
import shutil
import signal
import subprocess
import threading
import time
from typing import Any

import aiohttp
from time_limits import message_limit_s

NAMES = ('chromium', 'chromium-browser', 'google-chrome')
FLAGS = (
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-dev-shm-usage',
    '--hide-scrollbars',
    '--mute-audio',
    '--remote-debugging-port=0',
)
START_LIMIT_S = 60.0


def find_chromium() -> str | None:
    chosen = os.environ.get('CHROMIUM')
    return chosen or next((p for name in NAMES if (p := shutil.which(name))), None)


class Page:
    """
    One page of a browser.

    :ivar requests: addresses of all that it requested
    :ivar console: warnings, errors and exceptions that its console shows
    """

    def __init__(self, browser: _Connection, session: str) -> None:
        self.requests: list[str] = []
        self.console: list[str] = []
        self._browser = browser
        self._session = session
        browser.listeners[session] = self._take
        for domain in ('Page', 'Runtime', 'Network', 'Log'):
            self.call(f'{domain}.enable')

    def open(self, address: str) -> None:
        """Go to an address and wait until it is loaded."""
        self.call('Page.navigate', url=address)
        self.wait_for('document.readyState === "complete" && location.href !== "about:blank"')

    def resize(self, width: int, height: int, *, is_phone: bool = False, scale: int = 1) -> None:
        """Give the page a size in CSS pixels."""
        self.call(
            'Emulation.setDeviceMetricsOverride',
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=is_phone,
        )

    def prefer(self, scheme: str) -> None:
        """Have the system prefer light or dark."""
        feature = {'name': 'prefers-color-scheme', 'value': scheme}
        self.call('Emulation.setEmulatedMedia', features=[feature])

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression; a promise is waited for."""
        answer = self.call(
            'Runtime.evaluate', expression=expression, awaitPromise=True, returnByValue=True
        )
        if 'exceptionDetails' in answer:
            details = answer['exceptionDetails']
            raise AssertionError(details.get('exception', details).get('description', details))
        return answer['result'].get('value')

    def wait_for(self, expression: str, limit_s: float | None = None) -> Any:
        """Wait until an expression is true; return its value."""
        limit_s = message_limit_s() if limit_s is None else limit_s
        end_s = time.monotonic() + limit_s
        while not (value := self.evaluate(expression)):
            assert time.monotonic() < end_s, f'not true within {limit_s:.1f} s: {expression}'
            time.sleep(0.03)
        return value

    def screenshot(self, *, whole: bool = False, clip: dict[str, float] | None = None) -> bytes:
        """Return what is seen as PNG, whole for what is below the edge too."""
        how: dict[str, Any] = {'format': 'png', 'captureBeyondViewport': whole}
        if whole:
            size = self.call('Page.getLayoutMetrics')['cssContentSize']
            how['clip'] = {**size, 'scale': 1}
        if clip is not None:
            how['clip'] = {**clip, 'scale': 1}
        return base64.b64decode(self.call('Page.captureScreenshot', **how)['data'])

    def picture_of(self, selector: str) -> bytes:
        """Return what is seen of one element as PNG."""
        box = self.evaluate(
            f'(() => {{ const box = document.querySelector({json.dumps(selector)})'
            '.getBoundingClientRect();'
            ' return {x: box.x, y: box.y, width: box.width, height: box.height}; })()'
        )
        return self.screenshot(clip=box)

    def point(self, selector: str, across: float, down: float) -> None:
        """Move the mouse to a place in an element, 0 to 1 across and down."""
        x, y = self.evaluate(
            f'(() => {{ const box = document.querySelector({json.dumps(selector)})'
            f'.getBoundingClientRect(); return [box.x + {across} * box.width, '
            f'box.y + {down} * box.height]; }})()'
        )
        self.call('Input.dispatchMouseEvent', type='mouseMoved', x=x, y=y)

    def press(self, key: str) -> None:
        text = {'text': key} if len(key) == 1 else {}
        self.call('Input.dispatchKeyEvent', type='keyDown', key=key, **text)
        self.call('Input.dispatchKeyEvent', type='keyUp', key=key)

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the DevTools protocol."""
        return self._browser.call(method, parameters, self._session)

    def _take(self, method: str, parameters: dict[str, Any]) -> None:
        if method == 'Network.requestWillBeSent':
            self.requests.append(parameters['request']['url'])
        elif method == 'Runtime.exceptionThrown':
            self.console.append(json.dumps(parameters['exceptionDetails'])[:500])
        elif method == 'Runtime.consoleAPICalled' and parameters['type'] in ('warning', 'error'):
            self.console.append(json.dumps(parameters['args'])[:500])
        elif method == 'Log.entryAdded' and parameters['entry']['level'] in ('warning', 'error'):
            entry = parameters['entry']
            self.console.append(f'{entry["text"]} {entry.get("url", "")}')


class _Connection:
    """A browser's DevTools connection, in a thread of its own."""

    def __init__(self, address: str) -> None:
        self.listeners: dict[str, Callable[[str, dict[str, Any]], None]] = {}
        self._address = address
        self._loop = asyncio.new_event_loop()
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._last = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(START_LIMIT_S), 'the browser does not answer'

    def call(self, method: str, parameters: dict[str, Any], session: str | None = None) -> Any:
        """Call a method and return its result."""
        coroutine = self._call(method, parameters, session)
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(START_LIMIT_S)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)

    async def _call(self, method: str, parameters: dict[str, Any], session: str | None) -> Any:
        self._last += 1
        number = self._last
        answer = self._answers[number] = self._loop.create_future()
        message = {'id': number, 'method': method, 'params': parameters}
        await self._socket.send_json(message | ({'sessionId': session} if session else {}))
        return await answer

    def _run(self) -> None:
        self._loop.run_until_complete(self._talk())
        self._loop.close()

    async def _talk(self) -> None:
        self._ended = asyncio.Event()
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(self._address, max_msg_size=0, heartbeat=None) as self._socket,
        ):
            reading = asyncio.create_task(self._read())
            self._ready.set()
            await self._ended.wait()
            reading.cancel()

    async def _read(self) -> None:
        async for message in self._socket:
            content = json.loads(message.data)
            if 'id' in content:
                answer = self._answers.pop(content['id'])
                if 'error' in content:
                    answer.set_exception(RuntimeError(content['error']['message']))
                else:
                    answer.set_result(content['result'])
            elif content.get('sessionId') in self.listeners:
                self.listeners[content['sessionId']](content['method'], content['params'])


class Chromium:
    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    @contextmanager
    def page(self) -> Iterator[Page]:
        """Give a page with cookies and storage of its own."""
        call = self._connection.call
        context = call('Target.createBrowserContext', {})['browserContextId']
        target = call('Target.createTarget', {'url': 'about:blank', 'browserContextId': context})[
            'targetId'
        ]
        session = call('Target.attachToTarget', {'targetId': target, 'flatten': True})
        try:
            yield Page(self._connection, session['sessionId'])
        finally:
            call('Target.disposeBrowserContext', {'browserContextId': context})


@contextmanager
def chromium(path: str, folder: Path) -> Iterator[Chromium]:
    """
    Run a browser.

    :param path: of its program
    :param folder: an empty one for its profile
    """
    command = [path, *FLAGS, f'--user-data-dir={folder}', 'about:blank']
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, 'HOME': str(folder)},
    ) as process:
        try:
            connection = _Connection(_address(folder, process))
            yield Chromium(connection)
            connection.close()
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def _address(folder: Path, process: subprocess.Popen[bytes]) -> str:
    """Return where the browser's DevTools are, which it writes into its profile."""
    told = folder / 'DevToolsActivePort'
    end_s = time.monotonic() + START_LIMIT_S
    while not told.is_file() or len(told.read_text().split()) < 2:
        assert process.poll() is None, f'the browser ended with {process.returncode}'
        assert time.monotonic() < end_s, 'the browser does not start'
        time.sleep(0.02)
    port, path = told.read_text().split()
    return f'ws://127.0.0.1:{port}{path}'
