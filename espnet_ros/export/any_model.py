"""From what a user gives as model to a model file in memory."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from espnet_ros.config import ForeignModelSettings
from espnet_ros.file_kinds import is_checkpoint
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.opening import open_model


def open_any_model(name_or_path: str, foreign: ForeignModelSettings) -> ModelFile:
    """
    Return a model by name, by file, or exported from a published checkpoint on the fly.

    :raises ModelError: there is none, or it cannot be used
    """
    if not is_checkpoint(name_or_path):
        return open_model(name_or_path, foreign)
    # Only this needs torch, which a robot need not have.
    onnx_export = import_module('espnet_ros.export.onnx_export')
    model: ModelFile = onnx_export.export_checkpoint(Path(name_or_path))
    return model
