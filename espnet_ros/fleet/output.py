"""
Where the results of a fleet are kept: a folder a unit, whole or not there at all.

A unit is written under a hidden name that says which run writes it, and renamed when its
``summary.json`` is in it, which holds the key of its results. In an object store, where nothing
can be renamed, ``summary.json`` is the last object; a unit without it is not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import json
import os
from pathlib import Path
import shutil
import tempfile
from typing import Any

from espnet_ros.exceptions import EspnetError, OutputError
from espnet_ros.files import held, write_atomically, write_failure
from espnet_ros.fleet import stores
from espnet_ros.fleet.unit import Report

SUMMARY = 'summary.json'

_PART = '.part-'
_REPLACED = '.old-'


@dataclass(frozen=True)
class EarlierUnit:
    """
    A unit that is there.

    :param key: of its results; empty where some of them are missing
    :param files: of its sources, as :attr:`Unit.files`; none where they are not known
    """

    key: str
    files: tuple[str, ...]
    report: Report


@dataclass(frozen=True)
class FleetOutput:
    """
    The results of a fleet, in a folder or an object store.

    :param run_id: tells the parts of this run from those of others
    :param overwrite: whether folders of the user's may be replaced
    """

    root: str
    run_id: str
    overwrite: bool = False

    @property
    def is_stored(self) -> bool:
        """Return whether it is an object store."""
        return stores.is_url(self.root)

    @contextmanager
    def held(self) -> Iterator[None]:
        """
        Keep other runs out, and remove what killed ones had begun.

        :raises OutputError: it cannot be written, or another run writes into it
        """
        if self.is_stored:
            stores.file_system(self.root)
            yield
            return
        root = Path(self.root)
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(write_failure(root, error)) from error
        with held(root):
            self._tidy(root)
            try:
                yield
            finally:
                self._tidy(root)

    def summary_of(self, name: str) -> dict[str, Any] | None:
        """Return the summary of a unit, or None where it is not there or none of ours."""
        try:
            if self.is_stored:
                content = json.loads(stores.read_text(f'{self.root}/{name}/{SUMMARY}'))
            else:
                content = json.loads((Path(self.root) / name / SUMMARY).read_bytes())
        except (OSError, ValueError, EspnetError):
            return None
        return content if isinstance(content, dict) and 'key' in content else None

    def earlier_units(self) -> dict[str, EarlierUnit]:
        """Return the units that are there, by their names."""
        if self.is_stored:
            addresses = stores.find_all(f'{self.root}/*/{SUMMARY}')
            names = [address.split('/')[-2] for address in addresses]
        else:
            names = sorted(path.parent.name for path in Path(self.root).glob(f'*/{SUMMARY}'))
        found = ((name, self._earlier_unit(name)) for name in names)
        return {name: unit for name, unit in found if unit is not None}

    def _earlier_unit(self, name: str) -> EarlierUnit | None:
        summary = self.summary_of(name)
        try:
            if summary is None:
                return None
            report = Report.from_dict(summary['report'])
            files = tuple(map(str, summary.get('files', ())))
            written = int(summary.get('files_written', 0))
            key = str(summary['key'])
        except (AttributeError, KeyError, TypeError, ValueError):
            return None
        is_whole = self.is_stored or count_files(Path(self.root) / name) >= written
        return EarlierUnit(key if is_whole else '', files, report)

    def check_summary(self) -> None:
        """
        Check that the summary of the whole may be written.

        :raises OutputError: there is one of something else than a fleet
        """
        if self.is_stored:
            return
        path = Path(self.root) / SUMMARY
        try:
            content = json.loads(path.read_bytes()) if path.exists() else {'fleet': []}
        except (OSError, ValueError):
            content = None
        if not isinstance(content, dict) or 'fleet' not in content:
            raise OutputError(
                f'{path}: would be overwritten, and is not of a run of many recordings; give '
                '--overwrite or another --output'
            )

    def check_free(self, name: str) -> None:
        """
        Check that a unit may be written.

        :raises OutputError: a folder of the user's, or one that was changed, has its name
        """
        if self.overwrite or self.is_stored:
            return
        folder = Path(self.root) / name
        if not folder.exists():
            return
        if self.summary_of(name) is None:
            raise OutputError(
                f'{folder}: is there already, and no earlier run made it; give --overwrite or '
                'another --output'
            )
        finished_ns = (folder / SUMMARY).stat().st_mtime_ns
        changed = [p for p in folder.rglob('*') if p.stat().st_mtime_ns > finished_ns]
        if any(path.is_file() for path in changed):
            raise OutputError(
                f'{changed[0]}: was changed after the run that made it, and would be replaced; '
                'give --overwrite or another --output'
            )

    def begin(self, name: str) -> Path:
        """
        Return an empty folder for the work on a unit.

        :raises OutputError: it cannot be made
        """
        try:
            if self.is_stored:
                return Path(tempfile.mkdtemp(prefix='espnet_ros-'))
            folder = Path(self.root)
            return Path(tempfile.mkdtemp(prefix=f'{_PART}{self.run_id}-', dir=folder))
        except OSError as error:
            raise OutputError(write_failure(Path(self.root), error)) from error

    def keep(self, work: Path, name: str, key: str) -> None:
        """
        Give a unit that is whole its name; where another run was first, drop it.

        :raises OutputError: it cannot be written
        """
        if self.is_stored:
            stores.put_folder(work, f'{self.root}/{name}', SUMMARY)
            drop(work)
            return
        target = Path(self.root) / name
        try:
            work.chmod(0o755)
            if target.exists():
                found = self._earlier_unit(name)
                if found is not None and found.key == key and not self.overwrite:
                    drop(work)
                    return
                old = Path(self.root) / f'{_REPLACED}{self.run_id}-{name}'
                target.rename(old)
                work.rename(target)
                drop(old)
            else:
                work.rename(target)
        except OSError as error:
            raise OutputError(write_failure(target, error)) from error

    def write(self, name: str, data: bytes) -> None:
        """
        Write a file of the whole fleet.

        :raises OutputError: it cannot be written
        """
        if self.is_stored:
            stores.put_bytes(f'{self.root}/{name}', data)
            return
        path = Path(self.root) / name
        try:
            write_atomically(path, data)
        except OSError as error:
            raise OutputError(write_failure(path, error)) from error

    def _tidy(self, root: Path) -> None:
        """Remove what was begun, and put back what was being replaced and lost its successor."""
        for old in root.glob(f'{_REPLACED}*'):
            name = old.name.removeprefix(_REPLACED).partition('-')[2]
            if (root / name).exists():
                drop(old)
            else:
                old.rename(root / name)
        for part in root.glob(f'{_PART}*'):
            drop(part)


def count_files(folder: Path) -> int:
    """Return how many files are in a folder and below it."""
    return sum(len(files) for _, _, files in os.walk(folder))


def drop(folder: Path) -> None:
    """Remove a folder that nobody needs any more."""
    shutil.rmtree(folder, ignore_errors=True)
