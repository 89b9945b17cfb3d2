"""
Checkpoints of the authors' code: read, understood and renamed.

A checkpoint is the state dict that github.com/sacmehta/ESPNet saves, alone or under
``state_dict`` beside the optimiser. It says nothing of itself: which network it belongs to is
inferred from the names and shapes of its tensors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
import hashlib
import io
from pathlib import Path
import re
from typing import Any
import warnings

from espnet_ros.exceptions import ModelError
from espnet_ros.models.base import SegmentationNetwork, UNUSED_TENSOR
from espnet_ros.models.espnet.network import SKIP_CHANNELS
from espnet_ros.models.espnet.published_keys import published_keys
from espnet_ros.models.registry import create_model
import torch
from torch import Tensor

PARALLEL_PREFIX = 'module.'
ENCODER_PREFIX = 'encoder.'


@dataclass(frozen=True)
class Checkpoint:
    """
    What a checkpoint holds.

    :param path: where it lies
    :param sha256: sha256 of the file
    :param architecture: key of the model registry, ``espnet`` or ``espnet_c``
    :param architecture_arguments: arguments that build the network
    :param state_dict: tensors by our names, float32, on the CPU
    """

    path: Path
    sha256: str
    architecture: str
    architecture_arguments: tuple[tuple[str, Any], ...]
    state_dict: Mapping[str, Tensor] = field(repr=False)

    @property
    def classes(self) -> int:
        """Return the number of classes, void included."""
        return int(dict(self.architecture_arguments)['classes'])

    def build_network(self) -> SegmentationNetwork:
        """Return the network with these weights, in evaluation mode."""
        network = create_model(self.architecture, **dict(self.architecture_arguments))
        network.load_state_dict(self.state_dict, strict=True)
        return network.eval()


def load_checkpoint(path: str | Path) -> Checkpoint:
    """
    Read a checkpoint of ESPNet or ESPNet-C as the authors' code saves it.

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
    architecture, arguments = _infer_architecture(published, path)
    network = create_model(architecture, **arguments)
    return Checkpoint(
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        architecture=architecture,
        architecture_arguments=tuple(arguments.items()),
        state_dict=_rename(published, network, path),
    )


def _read_state_dict(data: bytes, path: Path) -> dict[str, Tensor]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            content = torch.load(io.BytesIO(data), map_location='cpu', weights_only=True)
    except Exception as error:  # damaged bytes raise anything, from KeyError to UnicodeError
        reason = (str(error) or type(error).__name__).splitlines()[0]
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


def _infer_architecture(published: dict[str, Tensor], path: Path) -> tuple[str, dict[str, Any]]:
    prefix = ENCODER_PREFIX if any(key.startswith(ENCODER_PREFIX) for key in published) else ''
    classifier = _weight(published, f'{prefix}classifier.conv.weight', path)
    depths = [_stage_depth(published, f'{prefix}{stage}') for stage in ('level2', 'level3')]
    classes = classifier.shape[0]
    if classes < 2 or 0 in depths:
        raise ModelError(
            f'checkpoint {path}: expected ESPNet of at least 2 classes with ESP modules in '
            f'level2 and level3, found {classes} classes and {depths[0]} and {depths[1]} modules'
        )
    arguments: dict[str, Any] = {'classes': classes, 'alpha2': depths[0], 'alpha3': depths[1]}
    if not prefix:
        return 'espnet_c', arguments
    merge = _weight(published, 'conv.conv.weight', path)
    skip_channels = merge.shape[1] - classes
    for skip, channels in SKIP_CHANNELS.items():
        if channels == skip_channels:
            return 'espnet', {**arguments, 'skip': skip}
    raise ModelError(
        f'checkpoint {path}: expected a decoder that takes '
        f'{" or ".join(map(str, SKIP_CHANNELS.values()))} channels of the encoder at half size, '
        f'found {skip_channels}'
    )


def _weight(published: dict[str, Tensor], key: str, path: Path) -> Tensor:
    tensor = published.get(key)
    if tensor is None or tensor.ndim != 4:
        raise ModelError(
            f'checkpoint {path}: expected ESPNet or ESPNet-C with a convolution {key}, found '
            f'tensors such as {", ".join(list(published)[:3])}'
        )
    return tensor


def _stage_depth(published: dict[str, Tensor], stage: str) -> int:
    pattern = re.compile(rf'{re.escape(stage)}\.(\d+)\.')
    return len({found[1] for found in map(pattern.match, published) if found})


def _rename(
    published: dict[str, Tensor], network: SegmentationNetwork, path: Path
) -> dict[str, Tensor]:
    keys = published_keys(network)
    missing = sorted(set(keys.values()) - set(published))
    unknown = sorted(set(published) - set(keys.values()))
    if missing or unknown:
        raise ModelError(
            f'checkpoint {path}: not the tensors of ESPNet; missing: {_some(missing)}; '
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
