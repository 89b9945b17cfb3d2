"""Object stores (s3://, gs://) and file://, by fsspec."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
import re
from typing import Any
from urllib.parse import unquote

from espnet_ros.exceptions import ConfigError, EspnetError, InputError, OutputError

_SCHEME = re.compile(r'([a-z][a-z0-9+]+)://')
_EXTRAS = {'s3': 's3', 'gs': 'gs', 'gcs': 'gs'}


def is_url(spec: str) -> bool:
    """Return whether something is an address in a store; a path with file:// before it is none."""
    found = _SCHEME.match(spec)
    return found is not None and found[1] != 'file'


def as_path(spec: str) -> str:
    """Return a path without file:// before it; everything else as it is."""
    return unquote(spec.removeprefix('file://')) if spec.startswith('file://') else spec


def file_system(url: str) -> Any:
    """
    Return the file system of an address.

    :raises ConfigError: nothing here reaches such a store
    """
    found = _SCHEME.match(url)
    protocol = found[1] if found is not None else ''
    wanted = f'espnet-ros[{_EXTRAS.get(protocol, "s3")}]'
    try:
        import fsspec  # noqa: PLC0415  (may be missing)

        return fsspec.filesystem(protocol)
    except ImportError as error:
        raise ConfigError(
            f'{url}: {error.name or error} is not installed, which reads such stores; install '
            f"it with: pip install '{wanted}'"
        ) from error
    except ValueError as error:
        raise ConfigError(
            f'{url}: expected s3://, gs:// or file://, found {protocol}://'
        ) from error


def is_pattern(spec: str) -> bool:
    """Return whether a name stands for several, as ``*.mp4`` does."""
    return any(letter in spec for letter in '*?[')


def find_all(url: str) -> list[str]:
    """
    Return the addresses that a pattern stands for, in order.

    :raises InputError: the store cannot be read
    """
    protocol = url.partition('://')[0]
    store = file_system(url)
    with _told(url, InputError, 'read'):
        found = store.glob(url)
    return [f'{protocol}://{name}' for name in sorted(found)]


def state_of(url: str) -> list[object]:
    """
    Return what changes where the content of an address does.

    :raises InputError: it is not there, or the store cannot be read
    """
    store = file_system(url)
    with _told(url, InputError, 'read'):
        store.invalidate_cache()
        if store.isdir(url):
            entries = store.find(url, detail=True)
            return [[name, *_version(entries[name])] for name in sorted(entries)]
        return _version(store.info(url))


def read_text(url: str) -> str:
    """
    Return the text of an object.

    :raises InputError: it cannot be read
    """
    with _told(url, InputError, 'read'):
        return str(file_system(url).cat_file(url).decode(errors='replace'))


def fetch(url: str, folder: Path) -> Path:
    """
    Copy an object, or all below an address, into a folder; return where it lies.

    :raises InputError: it cannot be read
    """
    store = file_system(url)
    target = folder / PurePosixPath(url.rstrip('/')).name
    with _told(url, InputError, 'read'):
        if store.isdir(url):
            store.get(f'{url.rstrip("/")}/', f'{target}/', recursive=True)
        else:
            store.get_file(url, str(target))
    return target


def put_folder(folder: Path, url: str, last: str) -> None:
    """
    Copy all files of a folder to an address, one of them after all others.

    :param last: the file that says that all are there; one of an earlier time is removed first
    :raises OutputError: the store cannot be written
    """
    store = file_system(url)
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob('*') if p.is_file())
    with _told(url, OutputError, 'written'):
        store.invalidate_cache()
        if store.exists(f'{url}/{last}'):
            store.rm_file(f'{url}/{last}')
            old = [name for name in store.find(url) if not name.endswith(f'/{last}')]
            if old:
                store.rm(old)
        for name in [*(name for name in names if name != last), last]:
            store.put_file(str(folder / name), f'{url}/{name}')


def put_bytes(url: str, data: bytes) -> None:
    """
    Write an object.

    :raises OutputError: the store cannot be written
    """
    with _told(url, OutputError, 'written'):
        file_system(url).pipe_file(url, data)


def exists(url: str) -> bool:
    """
    Return whether there is an object, or anything below an address.

    :raises InputError: the store cannot be read
    """
    store = file_system(url)
    with _told(url, InputError, 'read'):
        store.invalidate_cache()
        return bool(store.exists(url))


@contextmanager
def _told(url: str, kind: type[EspnetError], what: str) -> Iterator[None]:
    """Turn the errors of a store, each of which has its own, into one of ours."""
    try:
        yield
    except EspnetError:
        raise
    except FileNotFoundError as error:
        raise kind(f'{url}: no such object or bucket') from error
    except Exception as error:
        reason = ' '.join(str(error).split()) or type(error).__name__
        raise kind(f'{url}: the store cannot be {what} ({reason})') from error


def _version(info: dict[str, Any]) -> list[object]:
    told = info.get('ETag') or info.get('etag') or info.get('LastModified') or info.get('mtime')
    return [info.get('size'), str(told)]
