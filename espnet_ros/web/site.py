"""The files of the page, read once; nothing else of the file system can be requested."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

_TYPES = {
    'css': 'text/css; charset=utf-8',
    'html': 'text/html; charset=utf-8',
    'js': 'text/javascript; charset=utf-8',
    'svg': 'image/svg+xml',
}

SECURITY_HEADERS = {
    'Content-Security-Policy': (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
    'Referrer-Policy': 'no-referrer',
    'Server': 'espnet_ros',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
}
"""Of every answer."""


@dataclass(frozen=True)
class SiteFile:
    content: bytes
    content_type: str


def read_site() -> dict[str, SiteFile]:
    """Return every file of the page by its path, without the licences of others' work."""
    root = resources.files('espnet_ros') / 'web' / 'page'
    found = {}
    for folder, prefix in ((root, ''), (root / 'vendor', 'vendor/')):
        for entry in folder.iterdir():
            kind = _TYPES.get(entry.name.rpartition('.')[2])
            if entry.is_file() and kind is not None:
                found[f'{prefix}{entry.name}'] = SiteFile(entry.read_bytes(), kind)
    return found
