"""
What earlier runs finished in an output folder, and which of its files are theirs.

``results.jsonl`` gains a line with every finished frame, so that a run that is killed loses none.
A frame is done where its key, of source, model and settings, is there with its files. A file is
of an earlier run where it still has the size and time that were noted, or where a run that never
came to its end had announced it; every other file is the user's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
import fnmatch
import json
import os
from pathlib import Path
from typing import Any, BinaryIO

from espnet_ros.cli.segment.result_writer import FrameRecord
from espnet_ros.exceptions import OutputError
from espnet_ros.files import write_failure

JOURNAL = 'results.jsonl'

_FORMAT = {'espnet_ros': 'segment', 'version': 1}
_SHOWN = 3

_State = tuple[int, int]
"""Size and modification time of a file."""


@dataclass
class _Content:
    """What the lines of a journal say."""

    records: dict[str, list[FrameRecord]] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    states: dict[str, _State] = field(default_factory=dict)
    announced: set[str] = field(default_factory=set)


class Journal:
    """
    The journal of an output folder.

    :param folder: the output folder, which exists
    :param overwrite: whether files of the user's may be replaced, and nothing counts as done
    :raises OutputError: a file of the user's has its name
    """

    def __init__(self, folder: Path, *, overwrite: bool = False) -> None:
        self._folder = folder
        self._overwrite = overwrite
        self._path = folder / JOURNAL
        self._content = _Content()
        try:
            data = b'' if overwrite else self._path.read_bytes()
        except FileNotFoundError:
            data = b''
        except OSError as error:
            raise OutputError(f'{self._path}: cannot be read ({error.strerror})') from error
        if data:
            self._read(data)
        # A run that was killed within a line has not ended it.
        self._begins = b'' if data.endswith(b'\n') else b'\n' * bool(data) or _line(_FORMAT)
        self._file: BinaryIO | None = None

    def records_of(self, key: str) -> Sequence[FrameRecord] | None:
        """Return the frames under a key where all are done and their files are there."""
        if key not in self._content.whole:
            return None
        records = self._content.records.get(key, [])
        files = (name for record in records for name in record.files.values())
        return records if all((self._folder / name).is_file() for name in files) else None

    def has(self, name: str) -> bool:
        """Tell whether a file that was noted is there."""
        return name in self._content.states and (self._folder / name).is_file()

    def may_replace(self, path: Path) -> bool:
        """Tell whether a file is not there, or no file of the user's."""
        if self._overwrite or not os.path.lexists(path):
            return True
        name = path.relative_to(self._folder).as_posix()
        noted = self._content.states.get(name)
        if noted is not None:
            return noted == _state(path)
        announced = self._content.announced
        if name in announced or f'{name.split("/")[0]}/' in announced:
            return True
        return any(name.startswith(each[:-1]) for each in announced if each.endswith('*'))

    def announce(self, names: Iterable[str]) -> None:
        """
        Note what a run is going to write.

        ``folder/`` stands for all files in it, ``folder/stem_*`` for those that begin like that.

        :raises OutputError: files of the user's have such names
        """
        names = list(names)
        paths = (path for name in names for path in self._found(name))
        taken = [path.name for path in paths if not self.may_replace(path)]
        if taken:
            more = f' and {len(taken) - _SHOWN} more' if len(taken) > _SHOWN else ''
            raise OutputError(
                f'--output {self._folder}: {", ".join(taken[:_SHOWN])}{more} would be '
                'overwritten, which no earlier run left as it is; give --overwrite or another '
                'folder'
            )
        self._content.announced.update(names)
        try:
            self._file = self._path.open('wb' if self._overwrite else 'ab')
            self._file.write(self._begins)
        except OSError as error:
            raise OutputError(write_failure(self._path, error)) from error
        self._append({'begins': names})

    def add(self, key: str, record: FrameRecord, *, is_whole: bool) -> None:
        """
        Note a finished frame.

        :param is_whole: whether it is all that there is under its key
        """
        self._note_files(record.files.values(), key=key, record=asdict(record), whole=is_whole)

    def finish(self, key: str, files: Iterable[str]) -> None:
        """Note that all frames under a key are done, and files of all of them."""
        self._note_files(files, key=key, whole=True)

    def start_over(self, key: str) -> None:
        """Forget the frames under a key, which are done anew."""
        self._append({'key': key, 'anew': True})

    def drop_others(self, pattern: str, kept: Collection[str]) -> None:
        """Remove the files of earlier runs that fit a pattern, but for some."""
        for name in fnmatch.filter(self._content.states, pattern):
            path = self._folder / name
            if name not in kept and path.is_file() and self.may_replace(path):
                path.unlink()

    def end(self, files: Iterable[str]) -> None:
        """Note what was written at the end, and that nothing announced is under way."""
        self._note_files(files, ends=True)

    def close(self) -> None:
        """Close the file; what was announced and not ended goes on at the next run."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _found(self, name: str) -> Iterator[Path]:
        """Return a file, or those of a folder that are called as results are."""
        if name.endswith('*'):
            folder, _, start = name[:-1].rpartition('/')
            every = (self._folder / folder).glob('*')
            return (path for path in every if path.name.startswith(start))
        path = self._folder / name
        return path.glob('*_*.png') if name.endswith('/') else iter((path,))

    def _note_files(self, files: Iterable[str], **entry: Any) -> None:
        states = {name: _state(self._folder / name) for name in files}
        self._append(entry | {'files': {n: state for n, state in states.items() if state}})
        self._content.states.update({n: state for n, state in states.items() if state})

    def _append(self, entry: dict[str, Any]) -> None:
        if self._file is None:
            raise OutputError(f'{self._path}: nothing was announced to it')
        try:
            self._file.write(_line(entry))
            self._file.flush()
        except OSError as error:
            raise OutputError(write_failure(self._path, error)) from error

    def _read(self, data: bytes) -> None:
        lines = data.splitlines()
        entries = [entry for entry in map(_parse, lines) if entry is not None]
        if not entries or entries[0] != _FORMAT:
            raise OutputError(
                f'{self._path}: expected the journal of an earlier run, found another file; '
                'give --overwrite or another folder'
            )
        for entry in entries[1:]:
            try:
                self._take(entry)
            except (AttributeError, KeyError, TypeError, ValueError):
                continue  # of a newer version, or damaged: what it said is done again

    def _take(self, entry: dict[str, Any]) -> None:
        content = self._content
        files = {str(n): (int(size), int(time)) for n, (size, time) in _items(entry, 'files')}
        if 'begins' in entry:
            content.announced.update(map(str, entry['begins']))
        key = str(entry.get('key', ''))
        if entry.get('anew'):
            content.records.pop(key, None)
            content.whole.discard(key)
        if 'record' in entry:
            content.records.setdefault(key, []).append(_record(entry['record']))
        if entry.get('whole'):
            content.whole.add(key)
        content.states.update(files)
        if entry.get('ends'):
            content.announced.clear()


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry).encode() + b'\n'


def _items(entry: dict[str, Any], name: str) -> Iterable[tuple[Any, Any]]:
    found: Iterable[tuple[Any, Any]] = entry.get(name, {}).items()
    return found


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _record(values: dict[str, Any]) -> FrameRecord:
    height, width = values['size']
    mask_height, mask_width = values['mask_size']
    prepare_s, inference_s, finish_s = values['times_s']
    return FrameRecord(
        name=str(values['name']),
        size=(int(height), int(width)),
        mask_size=(int(mask_height), int(mask_width)),
        counts=tuple((int(i), int(count)) for i, count in values['counts']),
        files={str(kind): str(name) for kind, name in values['files'].items()},
        times_s=(float(prepare_s), float(inference_s), float(finish_s)),
        stamp_ns=values['stamp_ns'],
        frame_id=values['frame_id'],
        is_blank=bool(values.get('is_blank')),
        time_s=values.get('time_s'),
    )


def _state(path: Path) -> _State | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
