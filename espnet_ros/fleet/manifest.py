"""What a user names as recordings: files, patterns, lists of files, addresses in stores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
import json
from pathlib import Path

from espnet_ros.exceptions import ConfigError, InputError
from espnet_ros.fleet.stores import as_path, find_all, is_pattern, is_url, read_text
from espnet_ros.sources.images import natural_key


@dataclass(frozen=True)
class Entry:
    """
    One source of a fleet.

    :param spec: as :func:`open_source` takes it, or an address in a store
    :param name: what its results are to be called after, or nothing
    :param is_listed: whether a manifest lists it, so that it has results of its own
    """

    spec: str
    name: str = ''
    is_listed: bool = False


def is_manifest(spec: str) -> bool:
    """Return whether something names a list of sources: ``@files.txt`` or ``drives.jsonl``."""
    return spec.startswith('@') or spec.endswith('.jsonl')


def read_entries(specs: Sequence[str]) -> list[Entry]:
    """
    Return the sources that a command line names, patterns and lists unfolded.

    :raises ConfigError: one is empty, or a list is not valid
    :raises InputError: a pattern fits nothing, or a list cannot be read
    """
    found: list[Entry] = []
    for spec in specs:
        if not spec:
            raise ConfigError('expected a source of images, found an empty argument')
        if is_manifest(spec) and not Path(spec).is_dir():
            found.extend(_listed(spec.removeprefix('@')))
        else:
            found.extend(Entry(each) for each in _unfolded(as_path(spec)))
    return found


def _unfolded(spec: str) -> list[str]:
    """Return the names that a pattern stands for; a file may be called like a pattern."""
    if not is_pattern(spec) or (not is_url(spec) and Path(spec).expanduser().exists()):
        return [spec]
    if is_url(spec):
        names = find_all(spec)
    else:
        names = sorted(_glob(Path(spec).expanduser()), key=natural_key)
    if not names:
        raise InputError(f'{spec}: no file or folder fits this pattern')
    return names


def _glob(pattern: Path) -> list[str]:
    root = Path(pattern.anchor)
    return [str(path) for path in root.glob(str(pattern.relative_to(root)))]


def _listed(spec: str) -> Iterator[Entry]:
    spec = as_path(spec)
    text = read_text(spec) if is_url(spec) else _read(spec)
    found = False
    for number, line in enumerate(map(str.strip, text.splitlines()), start=1):
        if not line or line.startswith('#'):
            continue
        found = True
        source, name = _parsed(line, f'{spec}, line {number}') if line[0] == '{' else (line, '')
        for each in _unfolded(as_path(source)):
            yield Entry(_beside(each, spec), name, is_listed=True)
    if not found:
        raise InputError(f'{spec}: expected a list of sources, one a line, found none')


def _read(spec: str) -> str:
    try:
        return Path(spec).expanduser().read_text(encoding='utf-8')
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else 'it is no text'
        raise InputError(f'{spec}: the list of sources cannot be read ({reason})') from error


def _parsed(line: str, where: str) -> tuple[str, str]:
    try:
        content = json.loads(line)
        source, topic = content['source'], content.get('topic', '')
        name = content.get('name', '')
        if not (isinstance(source, str) and isinstance(topic, str) and isinstance(name, str)):
            raise TypeError
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f'{where}: expected {{"source": "drive.mp4"}}, with "topic" and "name" where wanted, '
            f'found {line[:60]!r}'
        ) from error
    return (f'{source}:{topic}' if topic else source), name


def _beside(spec: str, manifest: str) -> str:
    """Return a relative path of a list as seen from the list, where it is there and not here."""
    if is_url(spec) or is_url(manifest) or Path(spec).expanduser().is_absolute():
        return spec
    beside = Path(manifest).expanduser().parent / spec
    here = Path(spec.partition(':')[0])
    there = Path(str(beside).partition(':')[0])
    return str(beside) if there.exists() and not here.exists() else spec
