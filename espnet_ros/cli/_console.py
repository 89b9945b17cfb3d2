"""The two consoles of the command line; both look up their stream when they write."""

import sys

from rich.console import Console

_FILE_WIDTH = 160

OUT = Console(highlight=False, width=None if sys.stdout.isatty() else _FILE_WIDTH)
"""Standard output: results. Files and pipes are wide, so that tables stay whole in them."""

ERROR = Console(stderr=True, highlight=False)
"""Standard error: progress, what the library logs, and errors."""
