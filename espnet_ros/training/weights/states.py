"""What is written while training: the state to go on from, and the weights to keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
import hashlib
import io
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from espnet_ros.exceptions import ConfigError, ModelError, OutputError
from espnet_ros.files import write_atomically
from espnet_ros.labels import LabelSet
from espnet_ros.models.base import SegmentationNetwork
from espnet_ros.models.registry import create_model
from espnet_ros.models.training_sets import Normalization
import torch
from torch import Tensor

FORMAT = 'espnet_ros.training'


@dataclass(frozen=True)
class TrainedWeights:
    """
    Weights, with all that is needed to use them.

    :param architecture: key of the model registry
    :param state_dict: tensors by name, on the CPU
    :param record: how they came about, in words and numbers
    :param sha256: of the file that they were read from; empty where there was none
    """

    architecture: str
    architecture_arguments: dict[str, Any]
    state_dict: Mapping[str, Tensor] = field(repr=False)
    label_set: LabelSet
    normalization: Normalization
    record: dict[str, Any]
    sha256: str = ''

    def build_network(self) -> SegmentationNetwork:
        """Return the network with these weights, in evaluation mode."""
        network = create_model(self.architecture, **self.architecture_arguments)
        network.load_state_dict(self.state_dict, strict=True)
        return network.eval()

    def describe(self) -> str:
        """Return what they were trained on, how long, and from which weights, in words."""
        epochs = self.record.get('epoch', 0)
        start = self.record.get('initial_weights')
        return (
            f'{self.record.get("training_set", "unknown data")} ({epochs} epochs of '
            f'{self.record.get("training_images", 0)} images'
            f'{f", from weights of: {start}" if start else ""})'
        )


def save_weights(path: Path, weights: TrainedWeights) -> None:
    """
    Write weights; under the name there is never half a file.

    :raises OutputError: they cannot be written
    """
    write_tensors(
        path,
        {
            'format': FORMAT,
            'architecture': weights.architecture,
            'architecture_arguments': weights.architecture_arguments,
            'state_dict': {k: v.detach().cpu().clone() for k, v in weights.state_dict.items()},
            'label_set': weights.label_set.to_dict(),
            'normalization': asdict(weights.normalization),
            'record': weights.record,
        },
    )


def load_weights(path: Path) -> TrainedWeights:
    """
    Read what :func:`save_weights` wrote.

    :raises ModelError: no such file, damaged, or of another origin
    """
    content = read_tensors(path)
    try:
        if content['format'] != FORMAT:
            raise KeyError('format')
        return TrainedWeights(
            content['architecture'],
            content['architecture_arguments'],
            content['state_dict'],
            LabelSet.from_dict(content['label_set'], str(path)),
            Normalization(**content['normalization']),
            content['record'],
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
    except (ConfigError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f'weights {path}: expected a file that espnet-ros train wrote, found another one '
            f'({error})'
        ) from error


def write_tensors(path: Path, content: Any) -> None:
    """
    Write tensors and plain values; under the name there is never half a file.

    :raises OutputError: they cannot be written
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, buffer.getvalue())
    except OSError as error:
        raise OutputError(f'{path}: cannot be written ({error.strerror})') from error


def read_tensors(path: Path) -> dict[str, Any]:
    """
    Read what :func:`write_tensors` wrote; nothing in the file is executed.

    :raises ModelError: no such file, or it is damaged
    """
    try:
        content = torch.load(io.BytesIO(path.read_bytes()), map_location='cpu', weights_only=True)
    except OSError as error:
        raise ModelError(f'{path}: cannot be read ({error.strerror})') from error
    except Exception as error:  # damaged bytes raise anything, from KeyError to UnicodeError
        reason = (str(error) or type(error).__name__).splitlines()[0]
        if isinstance(error, UnpicklingError) and 'weights_only' in str(error):
            reason = 'it holds more than tensors, which is not loaded as it could run code'
        raise ModelError(f'{path}: damaged, or no file of torch ({reason})') from error
    if not isinstance(content, dict):
        raise ModelError(f'{path}: expected a dictionary, found {type(content).__name__}')
    return content
