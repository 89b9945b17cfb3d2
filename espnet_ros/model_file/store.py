"""
Where model files are kept, those that ship and those that were fetched, and opening one.

Fetched models lie in the data folder of the user (``~/.local/share/espnet_ros/models`` on
Linux); the environment variable ``ESPNET_ROS_MODELS`` names another folder.
"""

from __future__ import annotations

from dataclasses import asdict
import errno
from importlib import resources
import logging
import os
from pathlib import Path

from espnet_ros.config import ForeignModelSettings
from espnet_ros.exceptions import ModelError
from espnet_ros.files import write_atomically
from espnet_ros.model_file.external import wrap_external
from espnet_ros.model_file.file_format import as_model_file, is_model_file, load_onnx, ModelFile
from espnet_ros.model_file.published import PUBLISHED
import platformdirs

logger = logging.getLogger(__name__)

FOLDER_VARIABLE = 'ESPNET_ROS_MODELS'
SUFFIX = '.onnx'
AUTO = 'auto'

SHIPPED_MODELS = ('espnet_p2_q8_streets19', 'espnet_p2_q8_camvid_street')
"""Models of the package itself, the default first."""

PREFERRED_MODELS = tuple(model.name for model in PUBLISHED)
"""Models that can be fetched, best first."""


def models_folder() -> Path:
    """Return the folder of fetched models, which need not exist."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    return Path(platformdirs.user_data_dir('espnet_ros', appauthor=False)) / 'models'


def present_models() -> dict[str, Path]:
    """
    Return the model files on this machine by name: shipped ones, then fetched ones.

    Both are in order of preference. A shipped model hides a fetched one of its name.

    :raises ModelError: the folder of fetched models cannot be read
    """
    shipped = _models_in(_shipped_folder())
    fetched = _models_in(models_folder())
    return {**shipped, **{name: fetched[name] for name in fetched if name not in shipped}}


def find_model(name_or_path: str) -> Path:
    """
    Return the model file that somebody means.

    :param name_or_path: name of a shipped or fetched model, path of a file, or ``auto`` for
        the first of :func:`present_models`
    :raises ModelError: there is no such model; the message says how to get it
    """
    present = present_models()
    if name_or_path == AUTO:
        if present:
            return next(iter(present.values()))
        raise ModelError(
            f'no model on this machine (looked in {models_folder()}); get one with: '
            f'espnet-ros models fetch {PREFERRED_MODELS[0]}'
        )
    if name_or_path in present:
        return present[name_or_path]
    path = Path(name_or_path).expanduser()
    if path.is_file():
        return path
    if name_or_path in PREFERRED_MODELS:
        raise ModelError(
            f'model {name_or_path} is not on this machine (looked in {models_folder()}); '
            f'get it with: espnet-ros models fetch {name_or_path}'
        )
    known = dict.fromkeys((*present, *PREFERRED_MODELS))
    raise ModelError(
        f'no model {name_or_path!r}: expected the path of a file, or one of {", ".join(known)}'
    )


def open_model(name_or_path: str, foreign: ForeignModelSettings | None = None) -> ModelFile:
    """
    Return a model file by name or path; an ONNX file of another origin is adapted.

    :raises ModelError: there is no such model, or it cannot be used
    """
    path = find_model(name_or_path)
    proto, sha256 = load_onnx(path)
    if is_model_file(proto):
        usual = asdict(ForeignModelSettings())
        given = asdict(foreign).items() if foreign is not None else ()
        named = ', '.join(name for name, value in given if value != usual[name])
        if named:
            logger.warning('%s: says itself how it is fed: %s changes nothing', path, named)
        return as_model_file(proto, sha256, path)
    return wrap_external(proto, sha256, path, foreign or ForeignModelSettings())


def make_folder(folder: Path) -> None:
    """
    Make a folder for model files, where it is missing.

    :raises ModelError: it cannot be made, or not be written to
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise ModelError(
            f'folder {folder}: cannot be made or written to ({error.strerror}); fix its '
            f'permissions, or choose another ({FOLDER_VARIABLE} names that of fetched models)'
        ) from error


def save_model_file(model: ModelFile, path: str | Path) -> Path:
    """
    Write a model file, whole or not at all; folders on the way are made.

    :param path: where to; a file that is there is replaced
    :return: the path
    :raises ModelError: it cannot be written; what was there is as it was
    """
    path = Path(path)
    make_folder(path.parent)
    try:
        write_atomically(path, model.data, durable=True)
    except OSError as error:
        raise ModelError(
            f'model file {path}: cannot be written ({error.strerror}); free space or choose '
            f'another place ({FOLDER_VARIABLE} names the folder of fetched models)'
        ) from error
    return path


def _shipped_folder() -> Path:
    return Path(str(resources.files('espnet_ros.artifacts')))


def _models_in(folder: Path) -> dict[str, Path]:
    try:
        paths = [path for path in folder.iterdir() if _is_model(path)]
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ModelError(
            f'models folder {folder}: cannot be read ({error.strerror}); fix its permissions '
            f'or name another one with {FOLDER_VARIABLE}'
        ) from error
    return {path.stem: path for path in sorted(paths, key=_preference)}


def _is_model(path: Path) -> bool:
    # Files that are still being written are hidden ones.
    return path.suffix == SUFFIX and not path.name.startswith('.') and path.is_file()


def _preference(path: Path) -> tuple[int, str]:
    order = (*SHIPPED_MODELS, *PREFERRED_MODELS)
    return order.index(path.stem) if path.stem in order else len(order), path.stem
