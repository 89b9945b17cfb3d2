"""The folder that results go to: nothing of the user's is overwritten, nothing is half written."""

from __future__ import annotations

from collections.abc import Callable
import errno
import json
import os
from pathlib import Path
import re
from typing import Any

from espnet_ros.exceptions import ConfigError, InputError, OutputError
from espnet_ros.file_kinds import check_utf8
from espnet_ros.files import (
    part_of,
    remove_parts_of_dead_processes,
    write_atomically,
    write_failure,
)
from espnet_ros.sources import split_topic


class OutputFolder:
    """
    A folder for results, made where missing.

    Every file is written under a hidden name and renamed when it is whole, so a reader
    never meets half a file, and a failure leaves what was there before.

    :param sources: what the user named as sources; where one is an image, a video or a folder,
        the results must not go beside the inputs
    :ivar may_replace: tells of a file that is there whether it may be overwritten
    :raises ConfigError: the results would lie among the inputs
    :raises OutputError: the folder cannot be made or written to
    """

    def __init__(self, path: Path, *sources: str) -> None:
        self.path = path.expanduser()
        self.may_replace: Callable[[Path], bool] = lambda _: True
        check_utf8(self.path, '--output')
        own = self.path.resolve()
        for source in sources:
            inputs, _ = split_topic(source)
            folder = inputs if inputs.is_dir() else inputs.parent
            if inputs.exists() and folder.resolve() == own:
                raise ConfigError(
                    f'--output {path}: the inputs lie in this folder, and results among them '
                    'would be taken for inputs; give another folder'
                )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            probe = self.part_of('writable')
            probe.touch()
            probe.unlink()
            remove_parts_of_dead_processes(self.path)
        except OSError as error:
            raise OutputError(
                f'--output {path}: cannot write into this folder ({error.strerror}); give '
                'another one'
            ) from error

    def write(self, name: str, data: bytes) -> Path:
        """
        Write a file.

        :param name: path below the folder
        :return: where it lies
        :raises OutputError: the disk is full, or the file cannot be written
        :raises InputError: its name is too long
        """
        path = self.path / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._check_replaced(path)
            write_atomically(path, data)
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                raise InputError(f'{path.name}: too long for a file name') from error
            raise OutputError(write_failure(path, error)) from error
        return path

    def write_json(self, name: str, content: Any) -> Path:
        return self.write(name, json_bytes(content))

    def part_of(self, name: str) -> Path:
        """Return the hidden name under which a file that grows is written at first."""
        return part_of(self.path / name)

    def keep(self, name: str) -> Path:
        """Give a file that was written as :meth:`part_of` its name; return where it lies."""
        path = self.path / name
        self._check_replaced(path)
        try:
            self.part_of(name).replace(path)
        except OSError as error:
            raise OutputError(write_failure(path, error)) from error
        return path

    def _check_replaced(self, path: Path) -> None:
        if not self.may_replace(path):
            raise OutputError(
                f'{path}: is there already, and no earlier run left it as it is; give '
                '--overwrite or another folder'
            )


def check_output(path: Path | None, option: str) -> None:
    """
    Check that a file can be written, before the work that it is the result of.

    :param path: None and ``-`` need no file
    :raises OutputError: it cannot
    """
    if path is None or str(path) == '-':
        return
    path = path.expanduser()
    folder = path.parent
    reason = ''
    if path.is_dir():
        reason = 'it is a folder'
    elif not folder.is_dir():
        reason = f'there is no folder {folder}'
    elif not os.access(path if path.exists() else folder, os.W_OK):
        reason = 'Permission denied'
    if reason:
        raise OutputError(f'{option} {path}: cannot be written ({reason}); give another file')


def write_json(path: Path, content: Any) -> None:
    """
    Write a JSON file that the user named.

    :raises OutputError: the file cannot be written
    """
    try:
        write_atomically(path.expanduser(), json_bytes(content))
    except OSError as error:
        raise OutputError(write_failure(path, error)) from error


def json_bytes(content: Any) -> bytes:
    """Return JSON for people and programs: indented, short lists of numbers on one line."""
    text = json.dumps(content, indent=2, ensure_ascii=False)
    # Sizes and colours are easier to read on one line.
    text = re.sub(r'\[\n\s+([\d.]+(?:,\n\s+[\d.]+)*)\n\s+\]', _on_one_line, text)
    # Names that are not UTF-8 hold lone surrogates, which JSON can only escape.
    return f'{text}\n'.encode(errors='backslashreplace')


def _on_one_line(numbers: re.Match[str]) -> str:
    return f'[{", ".join(numbers[1].replace(",", " ").split())}]'
