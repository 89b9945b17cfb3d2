"""From what a user gives as model to a model file in memory."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from espnet_ros.config import ForeignModelSettings
from espnet_ros.exceptions import ModelError
from espnet_ros.file_kinds import FileKind, is_checkpoint, kind_of
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.store import open_model


def open_any_model(name_or_path: str, foreign: ForeignModelSettings) -> ModelFile:
    """
    Return a model by name, by file, or exported from a published checkpoint on the fly.

    :raises ModelError: there is none, or it cannot be used
    """
    if not is_checkpoint(name_or_path):
        _check_kind(Path(name_or_path).expanduser())
        return open_model(name_or_path, foreign)
    # Only this needs torch, which a robot need not have.
    onnx_export = import_module('espnet_ros.export.onnx_export')
    model: ModelFile = onnx_export.export_checkpoint(Path(name_or_path).expanduser())
    return model


def _check_kind(path: Path) -> None:
    """
    Say what a file is that cannot be a model.

    :raises ModelError: it is such a file
    """
    kind = kind_of(path) if path.is_file() else FileKind.ONNX
    if kind not in (FileKind.ONNX, FileKind.UNKNOWN):
        raise ModelError(f'{path}: expected an ONNX file or a checkpoint, found {kind.value}')
