"""Files that are whole or absent, and whether they have changed."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import errno
import fcntl
import os
from pathlib import Path
import re
import threading
from typing import TextIO

from espnet_ros.exceptions import OutputError

_LOCK = '.running'

_PART = re.compile(r'\.(\d+)-(?:\d+\.part|part-.+)')
"""As :func:`write_atomically` and :func:`part_of` name them: the process's number first."""


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """
    Keep other runs out of a folder that results go to.

    :raises OutputError: it cannot be written, or another run writes into it
    """
    path = folder / _LOCK
    with contextlib.ExitStack() as stack:
        is_ours = False
        while not is_ours:  # a run that ended meanwhile has removed what was opened
            try:
                lock = stack.enter_context(path.open('w'))
            except OSError as error:
                raise OutputError(write_failure(folder, error)) from error
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                    raise OutputError(
                        f'{folder}: another run writes into this folder; wait for its end, or '
                        'give another --output'
                    ) from error
            is_ours = _is_open(path, lock)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _is_open(path: Path, file: TextIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def write_atomically(
    path: Path, data: bytes, *, durable: bool = False, private: bool = False
) -> None:
    """
    Write a file beside its name first, and rename it when it is whole.

    :param path: where to; a file that is there is replaced, its folder has to exist
    :param durable: whether it is on the disk, not only in its cache, before it gets its name
    :param private: whether only this user may read it
    :raises OSError: it cannot be written; nothing is left behind, and what was there is as it was
    """
    # Short, so that no name is too long that would do itself.
    part = path.with_name(f'.{os.getpid()}-{threading.get_ident()}.part')
    # No link that somebody left under the name is followed.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with contextlib.suppress(FileNotFoundError):
        part.unlink()
    try:
        with os.fdopen(os.open(part, flags, 0o600 if private else 0o666), 'wb') as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def part_of(path: Path) -> Path:
    """Return the hidden name beside a file under which it grows until it is whole."""
    # The suffix stays last: the container of a video is chosen by it.
    return path.with_name(f'.{os.getpid()}-part-{path.name}')


def remove_parts_of_dead_processes(folder: Path) -> None:
    """
    Remove what processes that were killed had begun to write in a folder and below it.

    :raises OSError: it cannot be removed
    """
    for part in folder.rglob('.*part*'):
        named = _PART.fullmatch(part.name)
        if named and not _is_running(int(named[1])):
            part.unlink(missing_ok=True)


def file_states(path: Path) -> list[list[object]]:
    """
    Return name, size and time of a file, or of the files in a folder.

    Hidden files, links that lead nowhere and sub-folders, where results may lie, are left out.

    :raises OSError: one cannot be read
    """
    if path.is_dir():
        parts = [p for p in sorted(path.iterdir()) if p.name[0] != '.' and p.is_file()]
    else:
        parts = [path]
    states = ((part.relative_to(path), part.stat()) for part in parts)
    return [[str(name), found.st_size, found.st_mtime_ns] for name, found in states]


def write_failure(path: Path, error: OSError) -> str:
    """Return in words why a result cannot be written, and what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f'{path}: the disk is full; free some space or give another --output'
    return f'{path}: cannot be written ({error.strerror})'


def _is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True
