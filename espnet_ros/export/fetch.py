"""
Fetches published weights and keeps them as model files.

The weights come from the authors' repository, at an address that is fixed to one commit, and
are used only if their sha256 is the one on record. A folder that
``ESPNET_ROS_MIRROR`` names stands in for the network; the files lie in its subfolders
``espnet``, ``espnetv2`` and ``enet``.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
import logging
import os
from pathlib import Path
import tempfile
from typing import Any

from espnet_ros.exceptions import DownloadError, ModelError, RuntimeUnavailableError
from espnet_ros.export.golden import with_golden_labels
from espnet_ros.model_file import load_model_file, ModelFile
from espnet_ros.model_file.published import find_published, PublishedModel
from espnet_ros.model_file.store import make_folder, models_folder, save_model_file, SUFFIX
import pooch
import requests

Progress = Callable[[int, int], None]
"""Is told the bytes that are there, and all of them."""

MIRROR_VARIABLE = 'ESPNET_ROS_MIRROR'
TIMEOUT_S = 30.0
_CHUNK_BYTES = 16384


def fetch_model(name: str, *, progress: Progress | None = None) -> Path:
    """
    Get published weights and keep them as a model file.

    What was fetched before, and is whole, is not fetched again. A fetch that fails or is
    killed leaves the models as they were.

    :param name: one of the names in :data:`espnet_ros.model_file.published.PUBLISHED`
    :return: the model file, in :func:`espnet_ros.model_file.store.models_folder`
    :raises ModelError: no such model, or the model file cannot be written
    :raises DownloadError: the weights cannot be had, or they are not those on record
    :raises RuntimeUnavailableError: there is no torch to read the weights with
    """
    published = find_published(name)
    target = models_folder() / f'{name}{SUFFIX}'
    if _is_fetched(target, published):
        return target
    _check_exporter(name)
    make_folder(target.parent)
    report = progress or _ignore
    mirror = os.environ.get(MIRROR_VARIABLE)
    if mirror:
        weights = _from_mirror(published, Path(mirror).expanduser())
        report(published.size_bytes, published.size_bytes)
        model = _export(weights)
    else:
        with _temporary_folder() as folder:
            model = _export(_download(published, Path(folder), report))
    return save_model_file(model, target)


def _ignore(done_bytes: int, total_bytes: int) -> None:
    """Tell nobody."""


def _is_fetched(target: Path, published: PublishedModel) -> bool:
    if not target.is_file():
        return False
    try:
        return load_model_file(target).info.weights_sha256 == published.sha256
    except ModelError:
        return False


def _check_exporter(name: str) -> None:
    missing = [module for module in ('torch', 'onnxscript') if find_spec(module) is None]
    if missing:
        raise RuntimeUnavailableError(
            f'model {name}: making a model file of published weights needs {" and ".join(missing)}'
            ": pip install 'espnet_ros[torch]'; or fetch it on another computer and copy "
            f'{name}{SUFFIX} to {models_folder()}'
        )


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix='espnet_ros-')
    except OSError as error:
        raise DownloadError(
            f'no place for a download ({error.strerror or error}); name a folder that can be '
            'written in TMPDIR'
        ) from error


def _export(weights: Path) -> ModelFile:
    # Only this needs torch, which a robot need not have.
    export: Any = import_module('espnet_ros.export.onnx_export')
    model: ModelFile = export.export_checkpoint(weights)
    return with_golden_labels(model)


def _from_mirror(published: PublishedModel, mirror: Path) -> Path:
    path = mirror / published.mirror_path
    try:
        sha256 = pooch.file_hash(str(path), alg='sha256')
    except OSError as error:
        raise DownloadError(
            f'weights {path}: cannot be read ({error.strerror}); put the file there, or unset '
            f'{MIRROR_VARIABLE} to download it from {published.address}'
        ) from error
    if sha256 != published.sha256:
        raise DownloadError(_wrong_checksum(published, str(path), f'found {sha256}'))
    return path


def _download(published: PublishedModel, folder: Path, report: Progress) -> Path:
    bar = _ProgressBar(report, published.size_bytes)
    downloader = pooch.HTTPDownloader(progressbar=bar, chunk_size=_CHUNK_BYTES, timeout=TIMEOUT_S)
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        path = pooch.retrieve(
            published.address,
            known_hash=f'sha256:{published.sha256}',
            fname=published.file_name,
            path=folder,
            downloader=downloader,
        )
    except requests.RequestException as error:
        raise DownloadError(
            f'weights of {published.name}: cannot be downloaded from {published.address} '
            f'({_reason(error)}); check the network (or proxy), or name a folder with '
            f'{published.mirror_path} in {MIRROR_VARIABLE}'
        ) from error
    except OSError as error:
        raise DownloadError(
            f'weights of {published.name}: cannot be kept in {folder} ({error.strerror}); free '
            'space, or name another folder in TMPDIR'
        ) from error
    except ValueError as error:
        raise DownloadError(
            _wrong_checksum(published, published.address, 'found another')
        ) from error
    finally:
        logger.setLevel(level)
    return Path(path)


def _wrong_checksum(published: PublishedModel, origin: str, found: str) -> str:
    return (
        f'weights {origin}: expected sha256 {published.sha256}, {found}; the file was changed '
        'or is damaged and is not used; try again or get it from the authors '
        f'({published.address})'
    )


def _reason(error: requests.RequestException) -> str:
    if error.response is not None:
        return f'HTTP status {error.response.status_code}'
    if isinstance(error, requests.Timeout):
        return f'no answer within {TIMEOUT_S:g} s'
    if isinstance(error, requests.ConnectionError):
        return 'no connection'
    return str(error)


class _ProgressBar:
    """What pooch takes for a progress bar: counts the bytes and reports them."""

    def __init__(self, report: Progress, total: int) -> None:
        self.total = total
        self._report = report
        self._expected = total
        self._done = 0

    def update(self, count: int) -> None:
        """Count bytes that arrived; pooch rounds them up to whole chunks."""
        self._done += count
        self._report(min(self._done, self._expected), self._expected)

    def reset(self) -> None:
        """Do nothing: pooch counts the whole file once more at the end, which cannot hurt."""

    def close(self) -> None:
        """Do nothing: whoever is told closes what it draws."""
