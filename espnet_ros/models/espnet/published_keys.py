"""
How the authors' checkpoints name the tensors of ESPNet and ESPNet-C.

Each layer of our networks has exactly one layer of theirs; the tables below list the pairs
(ours, theirs), and :func:`published_key` applies them. Below a layer the names of the
tensors (``weight``, ``running_mean``, ...) are the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from espnet_ros.models.base import SegmentationNetwork, UNUSED_TENSOR
from espnet_ros.models.espnet.encoder import EspnetC
from espnet_ros.models.espnet.network import Espnet
from espnet_ros.models.espnet.style import PUBLISHED_STYLE

_Pairs = tuple[tuple[str, str], ...]
_Blocks = tuple[tuple[str, str, _Pairs], ...]

_NORM_ACT: _Pairs = (('norm', 'bn'), ('act', 'act'))
_CONV_NORM_ACT: _Pairs = (('conv', 'conv'), *_NORM_ACT)
_PYRAMID: _Pairs = (
    ('reduce', 'c1.conv'),
    *(
        (f'pyramid.branches.{index}', f'd{2**index}.conv')
        for index in range(PUBLISHED_STYLE.branches)
    ),
)
_DOWNSAMPLER: _Pairs = (*_PYRAMID, ('norm_act.norm', 'bn'), ('norm_act.act', 'act'))
_ESP: _Pairs = (*_PYRAMID, ('norm_act.norm', 'bn.bn'), ('norm_act.act', 'bn.act'))
_LAYER: _Pairs = (('', ''),)

_ENCODER: _Blocks = (
    ('stem', 'level1', _CONV_NORM_ACT),
    ('fuse1', 'b1', _NORM_ACT),
    ('down2', 'level2_0', _DOWNSAMPLER),
    ('fuse2', 'b2', _NORM_ACT),
    ('down3', 'level3_0', _DOWNSAMPLER),
    ('fuse3', 'b3', _NORM_ACT),
    ('classifier', 'classifier.conv', _LAYER),
)

_DECODER: _Blocks = (
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


def published_keys(network: SegmentationNetwork) -> dict[str, str]:
    """
    Return the authors' key of every tensor of a network, by our key.

    The map is total and one-to-one, but for ``num_batches_tracked``: a counter of newer
    versions of torch that the published files lack and nothing here uses.

    :param network: an ESPNet or ESPNet-C
    :raises TypeError: the authors published no such network
    """
    layers = _network_layers(network)
    keys = {}
    for key in network.state_dict():
        layer, _, tensor = key.rpartition('.')
        if tensor != UNUSED_TENSOR:
            keys[key] = f'{layers[layer]}.{tensor}'
    return keys


def _network_layers(network: SegmentationNetwork) -> dict[str, str]:
    if type(network) is EspnetC:
        return dict(_encoder_layers(network))
    if isinstance(network, Espnet):
        return {
            **{
                f'encoder.{ours}': f'encoder.{theirs}'
                for ours, theirs in _encoder_layers(network.encoder)
            },
            **{f'decoder.{ours}': theirs for ours, theirs in _expand(_DECODER)},
        }
    raise TypeError(f'expected an Espnet or EspnetC, found {type(network).__name__}')


def _encoder_layers(encoder: EspnetC) -> Iterator[tuple[str, str]]:
    yield from _expand(_ENCODER)
    for ours, theirs, stage in (
        ('stage2', 'level2', encoder.stage2),
        ('stage3', 'level3', encoder.stage3),
    ):
        for index in range(len(stage)):
            yield from _expand(((f'{ours}.{index}', f'{theirs}.{index}', _ESP),))


def _expand(blocks: _Blocks) -> Iterator[tuple[str, str]]:
    for our_block, their_block, layers in blocks:
        for ours, theirs in layers:
            yield f'{our_block}.{ours}'.rstrip('.'), f'{their_block}.{theirs}'.rstrip('.')
