"""
Model files from ONNX files of another origin.

Which graphs are taken stands in :mod:`espnet_ros.model_file.external_graph`; what they lack
is added to the graph, so that runtimes and nodes see a model file like any other.
"""

from __future__ import annotations

from pathlib import Path

from espnet_ros.config import ForeignModelSettings
from espnet_ros.exceptions import ModelError
from espnet_ros.labels import LabelSet, MAX_CLASSES
from espnet_ros.model_file.external_graph import describe_graph, ExternalGraph
from espnet_ros.model_file.external_wrapping import wrap_graph
from espnet_ros.model_file.file_format import load_onnx, ModelFile
from espnet_ros.model_file.model_info import ModelInfo
import onnx
from onnx.version_converter import convert_version

OLDEST_OPSET = 13
"""Softmax and the reductions have had their meaning of today since then."""


def adapt_external(path: str | Path, settings: ForeignModelSettings) -> ModelFile:
    """
    Turn an ONNX file of another origin into a model file, in memory.

    Normalisation, channel order, upsampling of the logits, argmax and confidence are added
    to the graph. Where the file gives labels only, the confidence is 255.

    :raises ModelError: it cannot be read, is no such graph, or the settings do not fit it
    :raises ConfigError: a class name is given twice
    """
    path = Path(path)
    return wrap_external(*load_onnx(path), path, settings)


def wrap_external(
    proto: onnx.ModelProto, sha256: str, path: Path, settings: ForeignModelSettings
) -> ModelFile:
    """
    Turn what was read from an ONNX file of another origin into a model file.

    :raises ModelError: as :func:`adapt_external`
    :raises ConfigError: as there
    """
    proto = _update_opset(proto, path)
    graph = describe_graph(proto, len(_class_names(settings)), str(path))
    wrapped = wrap_graph(proto, graph, _channel_settings(settings, path))
    info = ModelInfo(
        name=path.stem,
        architecture='foreign',
        architecture_arguments=(),
        input_size=graph.input_size,
        size_multiple=graph.size_multiple,
        label_set=_make_label_set(settings, graph, path),
        source=str(path),
    )
    onnx.helper.set_model_props(wrapped, info.to_metadata())
    return ModelFile(info, wrapped, sha256, path)


def _update_opset(proto: onnx.ModelProto, path: Path) -> onnx.ModelProto:
    opset = max((o.version for o in proto.opset_import if o.domain in ('', 'ai.onnx')), default=0)
    if opset >= OLDEST_OPSET:
        return proto
    try:
        return convert_version(proto, OLDEST_OPSET)
    except Exception as error:  # the converter's errors share no base class
        raise ModelError(
            f'model file {path}: expected opset {OLDEST_OPSET} or newer, found {opset}, which '
            f'cannot be converted ({str(error).splitlines()[0]}); export it again'
        ) from error


def _class_names(settings: ForeignModelSettings) -> tuple[str, ...]:
    return tuple(name for name in settings.class_names if name)


def _channel_settings(settings: ForeignModelSettings, path: Path) -> ForeignModelSettings:
    for name, values in (('mean', settings.mean), ('std', settings.std)):
        if len(values) not in (1, 3):
            raise ModelError(
                f'model file {path}: expected one or three values of {name}, found {len(values)}'
            )
    return settings


def _make_label_set(settings: ForeignModelSettings, graph: ExternalGraph, path: Path) -> LabelSet:
    names = _class_names(settings)
    count = graph.class_count
    if count is None and not names:
        raise ModelError(
            f'model file {path}: gives labels, which do not tell how many classes there are; '
            'expected class_names'
        )
    if count is not None and names and count != len(names):
        raise ModelError(
            f'model file {path}: expected as many class_names as the file has classes, '
            f'{count}, found {len(names)}'
        )
    if max(count or 0, len(names)) > MAX_CLASSES:
        raise ModelError(
            f'model file {path}: expected at most {MAX_CLASSES} classes, found '
            f'{max(count or 0, len(names))}'
        )
    return LabelSet.from_names(
        names or tuple(f'class_{index}' for index in range(count or 0)), path.stem
    )
