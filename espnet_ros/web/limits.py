"""What keeps many, slow or hostile browsers from costing the robot more than it can give."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
import time

MOST_CONNECTIONS = 64
MOST_PICTURES_HZ = 60.0
"""Of all browsers together: each gets its share."""
MOST_REQUESTS_HZ = 100.0
"""Of one address; bursts of twice as many are let through."""
FIRST_REQUEST_S = 10.0
"""Until a connection must have made its first request."""
_MOST_ADDRESSES = 1024
_ACCEPTED_S = 1.0

_BUSY = (
    b'HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n'
    b'Content-Length: 33\r\nRetry-After: 5\r\nConnection: close\r\n\r\n'
    b'too many connections; close some\n'
)


class Pacer:
    """
    Lets pictures go at a rate in the order in which they were requested, whoever requests them.

    :param rate_hz: the highest rate of all together
    """

    def __init__(
        self, rate_hz: float = MOST_PICTURES_HZ, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._period_s = 1 / rate_hz
        self._clock = clock
        self._next_s = 0.0

    def wait_s(self) -> float:
        """Return how long the one who asks has to wait, and book that moment for it."""
        now_s = self._clock()
        mine_s = max(now_s, self._next_s)
        self._next_s = mine_s + self._period_s
        return mine_s - now_s


class RequestMeter:
    """
    Counts the requests of each address, and tells when they are too many.

    :param rate_hz: requests per second that may go on for ever
    """

    def __init__(
        self, rate_hz: float = MOST_REQUESTS_HZ, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate_hz = rate_hz
        self._burst = 2 * rate_hz
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, address: str) -> bool:
        """Count a request; return whether it may be answered."""
        now_s = self._clock()
        left, then_s = self._left.pop(address, (self._burst, now_s))
        left = min(self._burst, left + (now_s - then_s) * self._rate_hz)
        is_allowed = left >= 1
        self._left[address] = (left - is_allowed, now_s)
        while len(self._left) > _MOST_ADDRESSES:
            self._left.popitem(last=False)
        return is_allowed


class Refusal(asyncio.Protocol):
    """A connection that is one too many: it is told so, and closed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            transport.write(_BUSY)
            transport.close()


class Connections:
    """Counts open connections, and closes those that say nothing."""

    def __init__(self, make: Callable[[], asyncio.Protocol], most: int = MOST_CONNECTIONS) -> None:
        self._make = make
        self._most = most
        self._opened: dict[asyncio.Protocol, float] = {}
        self._silent: set[asyncio.Protocol] = set()

    def __call__(self) -> asyncio.Protocol:
        self._forget_closed()
        if len(self._opened) >= self._most:
            return Refusal()
        protocol = self._make()
        self._opened[protocol] = time.monotonic()
        self._silent.add(protocol)
        return protocol

    @property
    def count(self) -> int:
        self._forget_closed()
        return len(self._opened)

    def spoke(self, protocol: asyncio.Protocol) -> None:
        """Take that a request came on a connection; what it may do now is the server's matter."""
        self._silent.discard(protocol)

    def close_silent(self) -> None:
        """Close connections that made no request for :data:`FIRST_REQUEST_S`."""
        limit_s = time.monotonic() - FIRST_REQUEST_S
        for protocol in tuple(self._silent):
            transport = getattr(protocol, 'transport', None)
            if self._opened[protocol] < limit_s and transport is not None:
                transport.abort()
        self._forget_closed()

    def close(self) -> None:
        for protocol in self._opened:
            transport = getattr(protocol, 'transport', None)
            if transport is not None:
                transport.abort()

    def _forget_closed(self) -> None:
        for protocol, opened_s in tuple(self._opened.items()):
            # It has a transport a moment after it was made, and none once it is closed.
            is_new = protocol in self._silent and time.monotonic() - opened_s < _ACCEPTED_S
            if getattr(protocol, 'transport', None) is None and not is_new:
                del self._opened[protocol]
                self._silent.discard(protocol)
