"""The verb ``power``: what sensors a machine has, and what they read."""

from __future__ import annotations

import argparse
from pathlib import Path

from espnet_ros.cli._options import positive_number
from espnet_ros.telemetry.power_sensor import KINDS

EPILOG = """
examples:
  espnet-ros power
  espnet-ros power --watch --rate 2
  espnet-ros power --json --watch --seconds 60 > power.jsonl
  espnet-ros power --root ./files_of_another_board

What cannot be read is unavailable (null in JSON) with its reason, never 0.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument(
        '--watch', action='store_true', help='Go on reading, as a live table, until Ctrl-C.'
    )
    parser.add_argument(
        '--json',
        action='store_true',
        help='Write JSON to standard output; with --watch one object a line.',
    )
    parser.add_argument(
        '--sensor',
        choices=('auto', *KINDS),
        default='auto',
        metavar='KIND',
        help=f'Read this kind of sensor: auto, {", ".join(KINDS)}. One that cannot be read is '
        'exit code 1. Default: auto.',
    )
    parser.add_argument(
        '--rate',
        type=positive_number,
        default=2.0,
        metavar='HZ',
        help='Readings per second of --watch; Jetson boards have two new values a second. '
        'Default: 2.',
    )
    parser.add_argument(
        '--seconds',
        type=positive_number,
        metavar='S',
        help='End --watch after so long, and tell the mean power and the energy.',
    )
    parser.add_argument(
        '--root',
        type=Path,
        default=Path('/'),
        metavar='DIR',
        help='Read a copy of the files of a machine (/sys, /proc, ...) below DIR.',
    )
    parser.set_defaults(job='espnet_ros.cli.jobs.power')
