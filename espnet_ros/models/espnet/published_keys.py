"""
How the authors' checkpoints name the tensors of ESPNet and ESPNet-C.

Each layer of our networks has exactly one layer of theirs; the tables below list the pairs
(ours, theirs), and :func:`published_espnet_keys` applies them. Below a layer the names of the
tensors (``weight``, ``running_mean``, ...) are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import re
from typing import Any

from espnet_ros.exceptions import ModelError
from espnet_ros.models.espnet.encoder import EspnetC
from espnet_ros.models.espnet.network import Espnet, SKIP_CHANNELS
from espnet_ros.models.espnet.style import PUBLISHED_STYLE
from espnet_ros.models.key_tables import Blocks, expand, Pairs, tensor_keys
from torch import nn, Tensor

ENCODER_PREFIX = 'encoder.'

_NORM_ACT: Pairs = (('norm', 'bn'), ('act', 'act'))
_CONV_NORM_ACT: Pairs = (('conv', 'conv'), *_NORM_ACT)
_PYRAMID: Pairs = (
    ('reduce', 'c1.conv'),
    *(
        (f'pyramid.branches.{index}', f'd{2**index}.conv')
        for index in range(PUBLISHED_STYLE.branches)
    ),
)
_DOWNSAMPLER: Pairs = (*_PYRAMID, ('norm_act.norm', 'bn'), ('norm_act.act', 'act'))
_ESP: Pairs = (*_PYRAMID, ('norm_act.norm', 'bn.bn'), ('norm_act.act', 'bn.act'))
_LAYER: Pairs = (('', ''),)

_ENCODER: Blocks = (
    ('stem', 'level1', _CONV_NORM_ACT),
    ('fuse1', 'b1', _NORM_ACT),
    ('down2', 'level2_0', _DOWNSAMPLER),
    ('fuse2', 'b2', _NORM_ACT),
    ('down3', 'level3_0', _DOWNSAMPLER),
    ('fuse3', 'b3', _NORM_ACT),
    ('classifier', 'classifier.conv', _LAYER),
)

_DECODER: Blocks = (
    ('norm3', 'br', _LAYER),
    ('up3', 'up_l3.0', _LAYER),
    ('project2', 'level3_C.conv', _LAYER),
    ('norm_act2', 'combine_l2_l3.0', _NORM_ACT),
    ('merge2', 'combine_l2_l3.1', _ESP),
    ('up2', 'up_l2.0', _LAYER),
    ('norm_act1', 'up_l2.1', _NORM_ACT),
    ('merge1', 'conv', _CONV_NORM_ACT),
    ('up1', 'classifier', _LAYER),
)


def is_espnet(published: Mapping[str, Tensor]) -> bool:
    """Tell whether a checkpoint is one of ESPNet or ESPNet-C, or damaged but like one."""
    return any(key.removeprefix(ENCODER_PREFIX).startswith('level2_0.') for key in published)


def infer_espnet(published: Mapping[str, Tensor]) -> tuple[str, dict[str, Any]]:
    """
    Return architecture and arguments of a checkpoint.

    :raises ModelError: its tensors are not those of an ESPNet
    """
    prefix = ENCODER_PREFIX if any(key.startswith(ENCODER_PREFIX) for key in published) else ''
    classifier = _convolution(published, f'{prefix}classifier.conv.weight')
    depths = [_stage_depth(published, f'{prefix}{stage}') for stage in ('level2', 'level3')]
    classes = classifier.shape[0]
    if classes < 2 or 0 in depths:
        raise ModelError(
            'expected ESPNet of at least 2 classes with ESP modules in level2 and level3, '
            f'found {classes} classes and {depths[0]} and {depths[1]} modules'
        )
    arguments: dict[str, Any] = {'classes': classes, 'alpha2': depths[0], 'alpha3': depths[1]}
    if not prefix:
        return 'espnet_c', arguments
    skip_channels = _convolution(published, 'conv.conv.weight').shape[1] - classes
    for skip, channels in SKIP_CHANNELS.items():
        if channels == skip_channels:
            return 'espnet', {**arguments, 'skip': skip}
    raise ModelError(
        f'expected a decoder that takes {" or ".join(map(str, SKIP_CHANNELS.values()))} '
        f'channels of the encoder at half size, found {skip_channels}'
    )


def published_espnet_keys(network: nn.Module) -> dict[str, str]:
    """
    Return the authors' key of every tensor of a network, by our key.

    :param network: an ESPNet or ESPNet-C
    :raises TypeError: the authors published no such network
    """
    return tensor_keys(network, _network_layers(network))


def _network_layers(network: nn.Module) -> dict[str, str]:
    if type(network) is EspnetC:
        return dict(_encoder_layers(network))
    if isinstance(network, Espnet):
        return {
            **{
                f'encoder.{ours}': f'encoder.{theirs}'
                for ours, theirs in _encoder_layers(network.encoder)
            },
            **{f'decoder.{ours}': theirs for ours, theirs in expand(_DECODER)},
        }
    raise TypeError(f'expected an Espnet or EspnetC, found {type(network).__name__}')


def _encoder_layers(encoder: EspnetC) -> Iterator[tuple[str, str]]:
    yield from expand(_ENCODER)
    for ours, theirs, stage in (
        ('stage2', 'level2', encoder.stage2),
        ('stage3', 'level3', encoder.stage3),
    ):
        for index in range(len(stage)):
            yield from expand(((f'{ours}.{index}', f'{theirs}.{index}', _ESP),))


def _convolution(published: Mapping[str, Tensor], key: str) -> Tensor:
    tensor = published.get(key)
    if tensor is None or tensor.ndim != 4:
        raise ModelError(f'expected ESPNet or ESPNet-C with a convolution {key}, found none')
    return tensor


def _stage_depth(published: Mapping[str, Tensor], stage: str) -> int:
    pattern = re.compile(rf'{re.escape(stage)}\.(\d+)\.')
    return len({found[1] for found in map(pattern.match, published) if found})
