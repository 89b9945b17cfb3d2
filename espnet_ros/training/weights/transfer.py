"""Starting from weights that were trained before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from espnet_ros.exceptions import ModelError
from espnet_ros.file_kinds import is_checkpoint
from espnet_ros.model_file.store import open_model
from espnet_ros.models.base import SegmentationNetwork
from espnet_ros.models.checkpoints import load_checkpoint
from espnet_ros.models.training_sets import Normalization
from espnet_ros.runtimes.torch import rebuild_pipeline
from espnet_ros.training.weights.states import load_weights
from torch import Tensor

ENCODER = 'encoder.'


@dataclass(frozen=True)
class InitialWeights:
    """
    Weights to start from.

    :param name: where they came from, for the record
    :param state_dict: tensors by our names
    :param architecture: of their network, by the model registry
    :param architecture_arguments: that build it, without ``classes``
    """

    name: str
    state_dict: Mapping[str, Tensor]
    normalization: Normalization
    architecture: str = ''
    architecture_arguments: Mapping[str, Any] = field(default_factory=dict)

    def arguments_for(self, architecture: str) -> dict[str, Any]:
        """Return the arguments of its network, as far as another one of its family has them."""
        if self.architecture not in (architecture, f'{architecture}_c'):
            return {}
        return dict(self.architecture_arguments)


def open_initial_weights(name_or_path: str) -> InitialWeights:
    """
    Return the weights of a model, a published checkpoint or an earlier training.

    :raises ModelError: there are none, or they cannot be used
    """
    if is_checkpoint(name_or_path):
        return read_initial_weights(Path(name_or_path).expanduser())
    model = open_model(name_or_path)
    pipeline = rebuild_pipeline(model)
    blue, green, red = pipeline.mean.flatten().tolist()
    std_blue, std_green, std_red = (1 / (255 * pipeline.scale.double())).flatten().tolist()
    return InitialWeights(
        f'{model.info.training_set} ({model.info.name})',
        pipeline.network.state_dict(),
        Normalization((blue, green, red), (std_blue, std_green, std_red), pipeline.channel_order),
        model.info.architecture,
        _without_classes(model.info.architecture_arguments),
    )


def read_initial_weights(path: Path) -> InitialWeights:
    """
    Read a checkpoint of the authors, or weights that an earlier training wrote.

    :raises ModelError: it is neither
    """
    try:
        weights = load_weights(path)
        return InitialWeights(
            weights.describe(),
            weights.state_dict,
            weights.normalization,
            weights.architecture,
            _without_classes(weights.architecture_arguments),
        )
    except ModelError:
        checkpoint = load_checkpoint(path)
    training_set = checkpoint.training_set
    name = f'{training_set.name}, as published ({path.name})'
    return InitialWeights(
        name,
        checkpoint.state_dict,
        training_set.normalization,
        checkpoint.architecture,
        _without_classes(checkpoint.architecture_arguments),
    )


def _without_classes(arguments: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in dict(arguments).items() if name != 'classes'}


def transfer(state_dict: Mapping[str, Tensor], network: SegmentationNetwork) -> list[str]:
    """
    Copy every tensor whose name and shape fit; the rest of the network stays as it is.

    The weights of an ESPNet-C also fit the encoder of an ESPNet, and the other way round.

    :return: the tensors of the network that nothing fits
    :raises ModelError: none fits
    """
    own = network.state_dict()
    fresh = []
    for key, target in own.items():
        for name in (key, key.removeprefix(ENCODER), ENCODER + key):
            tensor = state_dict.get(name)
            if tensor is not None and tensor.shape == target.shape:
                target.copy_(tensor)
                break
        else:
            fresh += [key] if target.ndim else []
    if len(fresh) == sum(tensor.ndim > 0 for tensor in own.values()):
        raise ModelError(
            f'expected weights of which some fit {type(network).__name__}, found '
            f'{len(state_dict)} tensors of other names or shapes'
        )
    return fresh
