"""What ``power`` takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from espnet_ros.cli.options import option
from espnet_ros.cli.values import positive_number
from espnet_ros.telemetry.power_sensor import KINDS

EPILOG = """
examples:
  espnet-ros power
  espnet-ros power --watch --rate 2
  espnet-ros power --json --watch --seconds 60 > power.jsonl
  espnet-ros power --root ./files_of_another_board

What cannot be read is unavailable (null in JSON) with its reason, never 0.
"""


@dataclass(frozen=True, kw_only=True)
class Options:
    EPILOG = EPILOG

    watch: bool = option(False, 'Keep reading and show a live table, until Ctrl-C.')
    json: bool = option(False, 'Write JSON to standard output; with --watch one object per line.')
    sensor: str = option(
        'auto',
        f'Read this kind of sensor: auto, {", ".join(KINDS)}. Exit with code 1 if it '
        'cannot be read.',
        'KIND',
        choices=('auto', *KINDS),
    )
    rate: float = option(
        2.0,
        'Readings per second of --watch; Jetson boards have two new values per second.',
        'HZ',
        type=positive_number,
    )
    seconds: float | None = option(
        None,
        'End --watch after this time, and print the mean power and the energy.',
        'S',
        type=positive_number,
    )
    root: Path = option(
        Path('/'), 'Read a copy of the files of a machine (/sys, /proc, ...) below DIR.', 'DIR'
    )
