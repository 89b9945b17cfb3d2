"""
Checkpoints of the authors' code: read, understood and renamed.

A checkpoint is the state dict that the code of ESPNet, ESPNetv2 or ENet saves, alone or under
``state_dict`` beside the optimiser. It says nothing of itself: which network it belongs to is
inferred from the names and shapes of its tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
import hashlib
import io
from pathlib import Path
from pickle import UnpicklingError
import re
from typing import Any
import warnings

from espnet_ros.exceptions import ModelError
from espnet_ros.models.base import SegmentationNetwork, UNUSED_TENSOR
from espnet_ros.models.enet.published_keys import infer_enet, is_enet, published_enet_keys
from espnet_ros.models.espnet.published_keys import infer_espnet, is_espnet, published_espnet_keys
from espnet_ros.models.espnetv2.published_keys import (
    infer_espnetv2,
    is_espnetv2,
    published_espnetv2_keys,
    UNUSED,
)
from espnet_ros.models.registry import create_model
from espnet_ros.models.training_sets import training_set_of, TrainingSet
import torch
from torch import nn, Tensor

PARALLEL_PREFIX = 'module.'
_NONE = re.compile(r'(?!)')


@dataclass(frozen=True)
class PublishedFamily:
    """
    Networks of which somebody published checkpoints, all named in the same way.

    :param name: for messages
    :param recognises: tells a checkpoint of the family by the names of its tensors
    :param infer: gives its architecture and arguments, or raises ModelError
    :param keys: gives the published key of every tensor of a network, by ours
    :param unused: published tensors that no result depends on
    """

    name: str
    recognises: Callable[[Mapping[str, Tensor]], bool]
    infer: Callable[[Mapping[str, Tensor]], tuple[str, dict[str, Any]]]
    keys: Callable[[nn.Module], dict[str, str]]
    unused: re.Pattern[str] = _NONE


FAMILIES = (
    PublishedFamily('ESPNet', is_espnet, infer_espnet, published_espnet_keys),
    PublishedFamily('ENet', is_enet, infer_enet, published_enet_keys),
    PublishedFamily('ESPNetv2', is_espnetv2, infer_espnetv2, published_espnetv2_keys, UNUSED),
)


def find_family(published: Mapping[str, Tensor]) -> PublishedFamily | None:
    """Return the family that a checkpoint belongs to, or None."""
    return next((family for family in FAMILIES if family.recognises(published)), None)


@dataclass(frozen=True)
class Checkpoint:
    """
    What a checkpoint holds.

    :param architecture: key of the model registry
    :param state_dict: tensors by our names, float32, on the CPU
    """

    path: Path
    sha256: str
    architecture: str
    architecture_arguments: tuple[tuple[str, Any], ...]
    state_dict: Mapping[str, Tensor] = field(repr=False)

    @property
    def classes(self) -> int:
        return int(dict(self.architecture_arguments)['classes'])

    @property
    def training_set(self) -> TrainingSet:
        """
        Return the data set of published weights of this architecture and number of classes.

        :raises ModelError: there is none
        """
        return training_set_of(self.classes, self.architecture)

    def build_network(self) -> SegmentationNetwork:
        """Return the network with these weights, in evaluation mode."""
        network = create_model(self.architecture, **dict(self.architecture_arguments))
        network.load_state_dict(self.state_dict, strict=True)
        return network.eval()


def load_checkpoint(path: str | Path) -> Checkpoint:
    """
    Read a checkpoint of ESPNet, ESPNet-C, ESPNetv2 or ENet as the authors' code saves it.

    Nothing in the file is executed (``weights_only``).

    :raises ModelError: no such file, not a checkpoint, damaged, or of another network
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f'checkpoint {path}: cannot be read ({error.strerror}); expected a .pth file'
        ) from error
    published = _read_state_dict(data, path)
    family = find_family(published)
    if family is None:
        raise ModelError(
            f'checkpoint {path}: expected one of {", ".join(known.name for known in FAMILIES)}, '
            f'found tensors such as {_some(list(published))}'
        )
    try:
        architecture, arguments = family.infer(published)
        network = create_model(architecture, **arguments)
    except ModelError as error:
        raise ModelError(f'checkpoint {path}: {error}') from error
    return Checkpoint(
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        architecture=architecture,
        architecture_arguments=tuple(arguments.items()),
        state_dict=_rename(published, network, family, path),
    )


def _read_state_dict(data: bytes, path: Path) -> dict[str, Tensor]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            content = torch.load(io.BytesIO(data), map_location='cpu', weights_only=True)
    except Exception as error:  # damaged bytes raise anything, from KeyError to UnicodeError
        reason = (str(error) or type(error).__name__).splitlines()[0]
        if isinstance(error, UnpicklingError) and 'weights_only' in str(error):
            reason = 'it holds more than tensors, which is not loaded as it could run code'
        raise ModelError(
            f'checkpoint {path}: not a checkpoint of tensors, or damaged ({reason}); '
            'download it again, or save the state dict alone with torch.save'
        ) from error
    if isinstance(content, dict) and isinstance(content.get('state_dict'), dict):
        content = content['state_dict']
    if (
        not isinstance(content, dict)
        or not content
        or not all(isinstance(k, str) and isinstance(v, Tensor) for k, v in content.items())
    ):
        raise ModelError(
            f'checkpoint {path}: expected a state dict (tensors by name), found '
            f'{type(content).__name__} of other content; save network.state_dict() with torch.save'
        )
    return {
        key.removeprefix(PARALLEL_PREFIX): tensor
        for key, tensor in content.items()
        if not key.endswith(UNUSED_TENSOR)
    }


def _rename(
    published: dict[str, Tensor],
    network: SegmentationNetwork,
    family: PublishedFamily,
    path: Path,
) -> dict[str, Tensor]:
    keys = family.keys(network)
    used = {key for key in published if not family.unused.fullmatch(key)}
    missing = sorted(set(keys.values()) - used)
    unknown = sorted(used - set(keys.values()))
    if missing or unknown:
        raise ModelError(
            f'checkpoint {path}: not the tensors of {family.name}; missing: {_some(missing)}; '
            f'unknown: {_some(unknown)}'
        )
    state_dict = {}
    expected = network.state_dict()
    for ours, theirs in keys.items():
        tensor = published[theirs]
        if tensor.shape != expected[ours].shape:
            raise ModelError(
                f'checkpoint {path}: expected {theirs} of shape {tuple(expected[ours].shape)}, '
                f'found {tuple(tensor.shape)}'
            )
        state_dict[ours] = tensor.detach().float().contiguous()
        if not bool(state_dict[ours].isfinite().all()):
            raise ModelError(
                f'checkpoint {path}: {theirs} holds values that are not finite; the file is '
                'damaged or the training diverged'
            )
    return state_dict


def _some(names: list[str]) -> str:
    return ', '.join(names[:3]) + (', ...' if len(names) > 3 else '') if names else 'none'
