"""
Where engines are kept.

An engine is code: whoever can write one can run anything as this user. So the folder and
every file in it must belong to this user, and nobody else may write them. Files appear whole
or not at all, and a checksum tells damage.
"""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
from contextlib import contextmanager
import errno
import fcntl
import hashlib
import json
import logging
import os
from pathlib import Path
import re
import stat
from typing import Any

from espnet_ros.exceptions import ConfigError, OutputError
from espnet_ros.files import remove_parts_of_dead_processes, write_atomically
from espnet_ros.runtimes.tensorrt.spec import EngineSpec
import platformdirs

logger = logging.getLogger(__name__)

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
KERNELS = '.kernels'
"""Ends the name of a file of kernels that were compiled of an engine; its begins with it."""


def default_cache_folder() -> Path:
    return Path(platformdirs.user_cache_dir('espnet_ros', appauthor=False)) / 'engines'


class EngineCache:
    """
    The engines of this user on this machine.

    :param folder: made where missing, for this user alone
    :raises ConfigError: it cannot be made, or others could write engines there
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser()
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700, exist_ok=True)
            _check_trust(self.folder, self.folder.lstat(), stat.S_ISDIR)
        except OSError as error:
            raise ConfigError(
                f'engine_cache_dir {self.folder}: cannot be made ({error.strerror}); name '
                'another folder'
            ) from error

    def path_of(self, spec: EngineSpec, name: str) -> Path:
        plain = re.sub(r'[^\w.-]+', '_', name)[:80]
        return self.folder / f'{plain}-{spec.precision}-{spec.digest[:16]}.engine'

    def load(self, spec: EngineSpec, name: str) -> bytes | None:
        """
        Return an engine, or None where there is none or it is damaged, which is deleted.

        :raises ConfigError: somebody else could have written it
        """
        path = self.path_of(spec, name)
        plan, record = self._read(path), self._read(_record_path(path))
        if plan is None or record is None:
            self._delete(path, 'is not complete' if plan or record else '')
            return None
        try:
            content = json.loads(record)
            is_whole = content['plan_sha256'] == hashlib.sha256(plan).hexdigest()
            is_same = content['spec'] == json.loads(spec.to_json())
        except (KeyError, TypeError, ValueError):
            is_whole = is_same = False
        if is_whole and is_same:
            return plan
        self._delete(path, 'is damaged')
        return None

    def store(self, spec: EngineSpec, name: str, plan: bytes, facts: dict[str, Any]) -> Path:
        """
        Keep an engine with a record of what it is.

        :param facts: what else the record tells, as JSON has it
        :return: where it lies
        :raises OutputError: it cannot be written; nothing is left behind then
        """
        path = self.path_of(spec, name)
        record = {
            'model': name,
            'spec': json.loads(spec.to_json()),
            'plan_sha256': hashlib.sha256(plan).hexdigest(),
            **facts,
        }
        self.write(path, plan)
        self.write(_record_path(path), f'{json.dumps(record, indent=2)}\n'.encode())
        return path

    def delete(self, spec: EngineSpec, name: str, why: str) -> None:
        """Delete an engine that cannot be used."""
        self._delete(self.path_of(spec, name), why)

    def read_extra(self, name: str) -> bytes:
        """Return what saves time beside the engines, by the name of its file, or nothing."""
        return self._read(self.folder / name) or b''

    def write_extra(self, name: str, data: bytes) -> None:
        """Keep what saves time; where that fails the next build or start just takes longer."""
        with contextlib.suppress(OutputError):
            self.write(self.folder / name, data)

    def write(self, path: Path, data: bytes) -> None:
        """
        Write a file, whole or not at all, for this user alone.

        :raises OutputError: it cannot be written
        """
        try:
            write_atomically(path, data, durable=True, private=True)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            reason = 'the disk is full' if full else error.strerror
            raise OutputError(
                f'engine cache {path}: cannot be written ({reason}); free space, or name '
                'another engine_cache_dir'
            ) from error

    @contextmanager
    def lock(self, spec: EngineSpec, name: str) -> Iterator[None]:
        """Let one process at a time build an engine; a killed one lets go."""
        path = self.path_of(spec, name).with_suffix('.lock')
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError:  # a full disk: then the engine will not be kept either
            yield
            return
        with os.fdopen(descriptor) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                logger.info('another process builds this engine; waiting for it')
                fcntl.flock(file, fcntl.LOCK_EX)
            with contextlib.suppress(OSError):
                remove_parts_of_dead_processes(self.folder)
            yield

    def _read(self, path: Path) -> bytes | None:
        """Return the content of a file that only this user can have written."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        except OSError as error:
            reason = 'is a link' if error.errno == errno.ELOOP else str(error.strerror)
            raise ConfigError(f'engine cache {path}: {reason}; delete it') from error
        with os.fdopen(descriptor, 'rb') as file:
            _check_trust(path, os.fstat(file.fileno()), stat.S_ISREG)
            return file.read()

    def _delete(self, path: Path, why: str) -> None:
        if why:
            logger.warning('engine %s %s; it is deleted and built again', path, why)
        for file in (path, _record_path(path), *self.folder.glob(f'{path.stem}-*{KERNELS}')):
            with contextlib.suppress(OSError):
                file.unlink()


def _record_path(path: Path) -> Path:
    return path.with_suffix('.json')


def _check_trust(path: Path, status: os.stat_result, is_kind: Any) -> None:
    if not is_kind(status.st_mode):
        problem = 'is a link or no ordinary file or folder'
    elif status.st_uid != os.geteuid():
        problem = f'belongs to user {status.st_uid}, and this is user {os.geteuid()}'
    elif status.st_mode & _OTHERS_WRITE:
        problem = f'can be written by others (mode {stat.S_IMODE(status.st_mode):03o})'
    else:
        return
    raise ConfigError(
        f'engine_cache_dir {path}: {problem}; an engine is code, so only this user may write '
        'there: name another engine_cache_dir, or chown and chmod 700 this one'
    )
