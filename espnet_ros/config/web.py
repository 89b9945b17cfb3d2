"""Where the live view is."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.settings import setting

WEB_PORT = 8421
"""Where commands and the launch file serve the live view unless told otherwise."""


@dataclass(frozen=True)
class WebSettings:
    """Where the page of the live view is served."""

    port: int = setting(
        0,
        'Port of the live view, a page that a browser opens; 0 serves none.',
        minimum=0,
        maximum=65535,
        read_only=True,
    )
    host: str = setting(
        '127.0.0.1',
        'Address that the live view listens on. Any other than 127.0.0.1 can be reached from '
        'outside, with the token that is logged once.',
        read_only=True,
    )
