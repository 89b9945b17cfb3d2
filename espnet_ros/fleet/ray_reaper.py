"""
Ends what is left of a Ray when the command that started it is gone, even killed.

Ray's agents look for their dead parent for a minute, and their files stay. This runs as a small
process of its own, without the package: ``ray_reaper.py SESSION``, with a pipe as its input that
is open for as long as the command lives.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
import shutil
import signal
import sys
import time

_TRIES, _TRY_EVERY_S = 100, 0.05


def processes_of(session: Path) -> list[int]:
    """
    Return the processes that write below a folder.

    :param session: the folder of a session of Ray, in which all its processes keep their logs
    """
    found = []
    for process in Path('/proc').glob('[0-9]*'):
        with contextlib.suppress(OSError):
            if any(_is_written(link, session) for link in (process / 'fd').iterdir()):
                found.append(int(process.name))
    return found


def _is_written(link: Path, session: Path) -> bool:
    try:
        if session not in link.readlink().parents:
            return False
        information = (link.parents[1] / 'fdinfo' / link.name).read_text()
    except OSError:
        return False
    flags = next(line.split()[1] for line in information.splitlines() if line[:6] == 'flags:')
    return int(flags, 8) & os.O_ACCMODE != os.O_RDONLY


def main() -> None:
    """Wait for the end of the command, then end and remove what is left."""
    session, command = Path(sys.argv[1]), os.getppid()
    sys.stdin.buffer.read()
    for _ in range(_TRIES):
        left = [process_id for process_id in processes_of(session) if process_id != command]
        for process_id in left:
            with contextlib.suppress(OSError):
                os.kill(process_id, signal.SIGKILL)
        if not left:
            break
        time.sleep(_TRY_EVERY_S)
    shutil.rmtree(session, ignore_errors=True)


if __name__ == '__main__':
    main()
