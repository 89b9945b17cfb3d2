"""What ``doctor`` takes."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.cli.options import option


@dataclass(frozen=True, kw_only=True)
class Options:
    EPILOG = 'Exit code 1 only where this machine cannot segment at all.'

    json: bool = option(False, 'Write JSON to standard output.')
