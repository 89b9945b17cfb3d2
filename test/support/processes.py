"""Processes below another: which they are, and whether they have ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
import subprocess
import time


def children(process_id: int) -> Iterator[tuple[int, str]]:
    """Return every process below one, and what it is called."""
    found = subprocess.run(
        ['ps', '-eo', 'pid=,ppid=,args='], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 2) for line in found.splitlines()]
    below = {process_id}
    for _ in range(6):
        below |= {int(pid) for pid, parent, *_ in rows if int(parent) in below}
    for pid, _, *name in rows:
        if int(pid) in below - {process_id}:
            yield int(pid), ' '.join(name)


def ray_workers(process_id: int, method: str = '') -> list[int]:
    """
    Return the processes of Ray below one that do units.

    :param method: what they are to be at, ``do`` while they do a unit; all if empty
    """
    title = f'ray::Job.{method}' if method else 'ray::Job'
    return [pid for pid, name in children(process_id) if name.startswith(title)]


def title_of(process_id: int) -> str:
    """Return what a process is called, nothing if it has ended."""
    try:
        return Path(f'/proc/{process_id}/cmdline').read_bytes().replace(b'\0', b' ').decode()
    except OSError:
        return ''


def is_running(process_id: int) -> bool:
    """Return whether there is such a process that has not ended."""
    try:
        return Path(f'/proc/{process_id}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


def wait_until(condition: Callable[[], object], limit_s: float = 60.0) -> None:
    """
    Wait for something to be true.

    :raises TimeoutError: it is not within the limit
    """
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f'{condition} was not true within {limit_s:g} s')
        time.sleep(0.01)
