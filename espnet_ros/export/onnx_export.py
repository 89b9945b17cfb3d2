"""From a network in torch to the model file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from espnet_ros.exceptions import ModelError
from espnet_ros.export.graph_cleanup import missing_parameters
from espnet_ros.export.tracing import free_sizes, trace
from espnet_ros.labels import LabelSet, load_label_set
from espnet_ros.model_file import ModelFile, ModelInfo
from espnet_ros.model_file.file_format import check_interface
from espnet_ros.model_file.published import find_by_sha256
from espnet_ros.models.base import SegmentationNetwork, UNUSED_TENSOR
from espnet_ros.models.checkpoints import Checkpoint, load_checkpoint
from espnet_ros.models.pipeline import SegmentationPipeline
from espnet_ros.models.training_sets import Normalization
from espnet_ros.version import VERSION
import onnx
import torch

DEFAULT_INPUT_SIZE = (512, 1024)


def export_checkpoint(
    path: str | Path,
    *,
    name: str | None = None,
    label_set: LabelSet | None = None,
    normalization: Normalization | None = None,
    input_size: tuple[int, int] | None = None,
) -> ModelFile:
    """
    Make a model file of a checkpoint that the authors' code saved.

    What is not given is taken from the data set with as many classes as the checkpoint:
    20 are Cityscapes, 12 are CamVid. Licence, source and accuracy are known for published
    checkpoints, which are recognised by their sha256.

    :param name: name of the model; None for the published one, or the file's name
    :param input_size: (height, width) in pixels that it is to be used at
    :return: the model file in memory; see :func:`espnet_ros.model_file.store.save_model_file`
    :raises ModelError: the checkpoint cannot be used, or the label set does not fit it
    """
    checkpoint = load_checkpoint(path)
    if label_set is None or normalization is None:
        training_set = checkpoint.training_set
        label_set = label_set or load_label_set(training_set.label_set)
        normalization = normalization or training_set.normalization
        input_size = input_size or training_set.input_size
    info = _describe(checkpoint, name, label_set, input_size or DEFAULT_INPUT_SIZE)
    return export_network(checkpoint.build_network(), normalization, info)


def export_network(
    network: SegmentationNetwork, normalization: Normalization, info: ModelInfo
) -> ModelFile:
    """
    Make a model file of a network.

    Batch size, height and width stay free; height and width are multiples of the network's
    ``size_multiple``. A network of ``fixed_size`` takes the input size of ``info`` only.

    :param network: in evaluation mode, on the CPU, float32
    :param info: what the file says of itself; size multiple, channel order and version are
        filled in
    :raises ModelError: label set or input size do not fit the network
    """
    _check_fit(network, info)
    info = replace(
        info,
        size_multiple=network.size_multiple,
        channel_order=normalization.channel_order,
        package_version=VERSION,
    )
    pipeline = SegmentationPipeline(network, normalization).eval()
    proto = trace(pipeline, info.input_size)
    free_sizes(proto, network)
    parameters = [key for key in pipeline.state_dict() if not key.endswith(UNUSED_TENSOR)]
    missing = missing_parameters(proto, parameters)
    if missing:
        raise ModelError(
            f'model {info.name}: the exporter lost {", ".join(missing[:3])}; expected every '
            f'parameter in the graph (torch {torch.__version__}, onnx {onnx.__version__})'
        )
    onnx.checker.check_model(proto, full_check=True)
    check_interface(proto, info.name)
    return ModelFile.create(info, proto)


def _describe(
    checkpoint: Checkpoint,
    name: str | None,
    label_set: LabelSet,
    input_size: tuple[int, int],
) -> ModelInfo:
    info = ModelInfo(
        name=name or checkpoint.path.stem,
        architecture=checkpoint.architecture,
        architecture_arguments=checkpoint.architecture_arguments,
        input_size=input_size,
        label_set=label_set,
        weights_sha256=checkpoint.sha256,
    )
    published = find_by_sha256(checkpoint.sha256)
    if published is None:
        return info
    return replace(
        info,
        name=name or published.name,
        training_set=published.training_set,
        accuracy=published.accuracy,
        license=published.license,
        source=published.address,
    )


def _check_fit(network: SegmentationNetwork, info: ModelInfo) -> None:
    if len(info.label_set.classes) != network.classes:
        raise ModelError(
            f'model {info.name}: expected a label set of {network.classes} classes, found '
            f'{info.label_set.name!r} with {len(info.label_set.classes)}'
        )
    multiple = network.size_multiple
    if any(size < multiple or size % multiple for size in info.input_size):
        raise ModelError(
            f'model {info.name}: expected an input size of multiples of {multiple}, found '
            f'{info.input_size[0]}x{info.input_size[1]}'
        )
