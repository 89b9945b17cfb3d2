"""CPU time and memory of a process, from procfs."""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """
    What a process has taken up to one moment.

    :param cpu_s: time of all its threads together
    :param memory_bytes: resident now
    """

    cpu_s: float
    memory_bytes: int


def read_usage(pid: int) -> Usage:
    """
    Return what a process has taken.

    :raises OSError: it has ended
    """
    folder = Path(f'/proc/{pid}')
    # The name of the process, in brackets, may hold blanks.
    fields = (folder / 'stat').read_text().rpartition(')')[2].split()
    cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')
    resident_pages = int((folder / 'statm').read_text().split()[1])
    return Usage(cpu_s, resident_pages * os.sysconf('SC_PAGE_SIZE'))
