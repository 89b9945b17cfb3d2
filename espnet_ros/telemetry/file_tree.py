"""Values that the kernel shows as small text files, read below a root folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import errno
import os
from pathlib import Path
import re

NOT_THERE = 'not there'

_MOST_BYTES = 1 << 16
_REASONS = {
    errno.EACCES: 'permission denied',
    errno.EPERM: 'permission denied',
    errno.ENOENT: NOT_THERE,
    errno.ENODEV: NOT_THERE,
    errno.ENODATA: 'the channel is switched off',
    errno.EAGAIN: 'no value now, as the sensor sleeps',
}
_INTEGER = re.compile(r'\s*([+-]?\d+)(?=\s|$)')


@dataclass(frozen=True)
class Quantity:
    """
    A measured number, or why there is none.

    :param value: the number, or None where it is not known; 0 is a measurement
    :param reason: why there is none; empty where there is one
    """

    value: float | None
    reason: str = ''

    def scaled(self, factor: float) -> Quantity:
        """Return it in another unit."""
        return self if self.value is None else Quantity(self.value * factor)


def read_file(path: Path) -> bytes:
    """
    Return what a file of sysfs or procfs holds now.

    Python's own files turn EAGAIN, which sleeping sensors answer with, into a TypeError or
    into nothing, so this asks the system itself.

    :raises OSError: there is nothing to read now
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        return os.read(descriptor, _MOST_BYTES)
    finally:
        os.close(descriptor)


class FileTree:
    """
    The file system below a root folder.

    :param root: ``/`` for this machine; another folder for a copy of a machine's files
    :param read: returns what a file holds or raises OSError
    """

    def __init__(self, root: Path = Path('/'), read: Callable[[Path], bytes] = read_file) -> None:
        self.root = root
        self._read = read

    @property
    def is_this_machine(self) -> bool:
        """Return whether this is the running machine, where there is more than files."""
        return self.root.resolve() == Path('/')

    def glob(self, *patterns: str) -> list[Path]:
        """Return what matches absolute patterns such as ``/sys/class/hwmon/hwmon*``, sorted."""
        found: list[Path] = []
        for pattern in patterns:
            try:
                found += sorted(self.root.glob(pattern.lstrip('/')), key=_natural)
            except OSError:  # a folder that goes away while it is listed
                continue
        return found

    def path(self, absolute: str) -> Path:
        """Return where a file with an absolute path lies below the root."""
        return self.root / absolute.lstrip('/')

    def read_text(self, path: Path) -> str:
        """
        Return a file's text without the NULs and blanks at its end.

        :raises OSError: it cannot be read now
        """
        return self._read(path).decode('utf-8', 'replace').rstrip('\0 \t\r\n')

    def text(self, path: Path | str) -> str | None:
        """Return a file's text, or None where it cannot be read now."""
        try:
            return self.read_text(self.path(path) if isinstance(path, str) else path)
        except OSError:
            return None

    def number(self, path: Path | str, factor: float = 1.0) -> Quantity:
        """
        Return the whole number that a file starts with, ``3600 ma`` included.

        :param factor: to the unit wanted, for example 1e-3 from milliwatts to watts
        """
        where = self.path(path) if isinstance(path, str) else path
        try:
            text = self.read_text(where)
        except OSError as error:
            return Quantity(None, f'{self._name(where)}: {describe_error(error)}')
        match = _INTEGER.match(text)
        if match is None:
            return Quantity(None, f'{self._name(where)}: expected a number, found {text[:40]!r}')
        return Quantity(int(match[1]) * factor)

    def _name(self, path: Path) -> str:
        """Return a path as the machine that the tree belongs to names it."""
        try:
            return f'/{path.relative_to(self.root)}'
        except ValueError:
            return str(path)


def describe_error(error: OSError) -> str:
    """Return in words why a file cannot be read."""
    known = _REASONS.get(error.errno or 0)
    return known or (error.strerror or str(error)).lower()


def _natural(path: Path) -> list[tuple[int, str]]:
    """Return a key that sorts hwmon10 behind hwmon9."""
    parts = re.split(r'(\d+)', str(path))
    return [(int(part), '') if part.isdigit() else (-1, part) for part in parts]
