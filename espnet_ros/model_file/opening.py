"""Opening a model by name or path, whoever wrote it."""

from __future__ import annotations

from espnet_ros.config import ForeignModelSettings
from espnet_ros.model_file.contract import is_model_file, load_model_file, load_onnx, ModelFile
from espnet_ros.model_file.foreign import adapt_foreign
from espnet_ros.model_file.store import find_model


def open_model(name_or_path: str, foreign: ForeignModelSettings | None = None) -> ModelFile:
    """
    Return a model file by name or path; an ONNX file of another origin is adapted.

    :param name_or_path: as :func:`find_model` takes it
    :param foreign: how to feed a file of another origin
    :raises ModelError: there is no such model, or it cannot be used
    """
    path = find_model(name_or_path)
    proto, _ = load_onnx(path)
    if is_model_file(proto):
        return load_model_file(path)
    return adapt_foreign(path, foreign or ForeignModelSettings())
