"""Who may look: the Host header, the token, and pages of other sites."""

from __future__ import annotations

from collections.abc import Mapping
import hmac
import ipaddress
import re
import secrets
import socket

_HOST = re.compile(r'(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]{1,253})(:[0-9]{1,5})?')


class Access:
    """
    Decides whether a request may be answered.

    On the loopback address everybody on this machine may look, and nobody else can. On any other
    address a token is needed. A name that is not this machine's is refused on both: a page of
    another site, whose name is made to point here, would read the camera otherwise.

    :param host: address that the server is bound to
    :param token: what a viewer must know; None makes one where it is needed
    :ivar token: what a viewer must know; empty where nothing is needed
    """

    def __init__(self, host: str, token: str | None = None) -> None:
        self._is_local = is_loopback(host)
        if token is None:
            token = '' if self._is_local else secrets.token_urlsafe(16)
        self.token = token
        own = socket.gethostname().lower()
        self._names = {'localhost'}
        if not self._is_local:
            self._names |= {own, f'{own}.local', host.lower()}

    def knows_host(self, header: str) -> bool:
        """Return whether a Host header names this machine; the port may be a tunnel's."""
        found = _HOST.fullmatch(header)
        if found is None:
            return False
        name = found['name'].strip('[]').rstrip('.').lower()
        if name in self._names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        # No other site can have an address for its name.
        return address.is_loopback or not self._is_local

    def knows_token(self, given: str) -> bool:
        """Return whether somebody who gives this token may look."""
        return not self.token or hmac.compare_digest(given.encode(), self.token.encode())


def is_foreign(headers: Mapping[str, str]) -> bool:
    """
    Return whether a page of another site requests something from within.

    Following a link from there to the page is allowed. Browsers send these headers; programs need
    not.
    """
    site = headers.get('Sec-Fetch-Site', 'none')
    return site not in ('none', 'same-origin') and headers.get('Sec-Fetch-Mode') != 'navigate'


def is_loopback(host: str) -> bool:
    """Return whether nobody but this machine reaches an address."""
    if host == 'localhost':
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
