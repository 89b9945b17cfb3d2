"""The verb ``doctor``: checks the installation and says how to mend it."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.epilog = 'Exit code 1 only where this machine cannot segment at all.'
    parser.add_argument('--json', action='store_true', help='Write JSON to standard output.')
    parser.set_defaults(job='espnet_ros.cli.jobs.doctor')
