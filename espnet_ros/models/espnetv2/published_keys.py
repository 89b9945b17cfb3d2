"""How the checkpoints of github.com/sacmehta/EdgeNets name the tensors of ESPNetv2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import re
from typing import Any

from espnet_ros.exceptions import ModelError
from espnet_ros.models.espnetv2.network import CHANNELS, DEPTH3, DEPTH4, Espnetv2
from espnet_ros.models.key_tables import below, Pairs, tensor_keys
from torch import nn, Tensor

FIRST = 'base_net.level1.conv.weight'
LAST = 'bu_dec_l4.merge_layer.3.weight'
FOURTH = 'base_net.level4_0.act.weight'

UNUSED = re.compile(r'base_net\.level[234]_0\.eesp\.module_act\.weight')
"""Slopes of an activation that a strided module has and never uses."""

_CONV_NORM: Pairs = (('conv', 'conv'), ('norm', 'bn'))
_CONV_NORM_ACT: Pairs = (*_CONV_NORM, ('act', 'act'))
_NORM_ACT: Pairs = (('norm', '0'), ('act', '1'))
_NUMBERED: Pairs = (('conv', '0'), ('norm', '1'), ('act', '2'))

_PYRAMID: Pairs = (
    *below('reduce', 'proj_1x1', _CONV_NORM_ACT),
    *((f'branches.{index}', f'spp_dw.{index}.conv') for index in range(4)),
    ('norm_act.norm', 'br_after_cat.bn'),
    ('norm_act.act', 'br_after_cat.act'),
    *below('expand', 'conv_1x1_exp', _CONV_NORM),
)
_MODULE: Pairs = (*below('pyramid', '', _PYRAMID), ('act', 'module_act'))
_DOWNSAMPLER: Pairs = (
    *below('pyramid', 'eesp', _PYRAMID),
    *below('reinforce.0', 'inp_reinf.0', _CONV_NORM_ACT),
    *below('reinforce.1', 'inp_reinf.1', _CONV_NORM),
    ('act', 'act'),
)
_POOLING: Pairs = (
    *below('project', 'projection_layer.cbr', _NUMBERED),
    *((f'scales.{index}', f'stages.{index}') for index in range(5)),
    *below('norm_act', 'merge_layer.0.br', _NORM_ACT),
    *below('merge', 'merge_layer.2.cbr', _NUMBERED),
    ('expand', 'merge_layer.3'),
    *below('out', 'br.br', _NORM_ACT),
)
_WEIGHTED: Pairs = (
    ('weigh', 'wt_layer.1'),
    *below('convolve', 'expansion_layer.cbr', _NUMBERED),
)


def is_espnetv2(published: Mapping[str, Tensor]) -> bool:
    """Tell whether a checkpoint is one of ESPNetv2 for segmentation."""
    return FIRST in published and any(key.startswith('bu_dec_l4.') for key in published)


def infer_espnetv2(published: Mapping[str, Tensor]) -> tuple[str, dict[str, Any]]:
    """
    Return architecture and arguments of a checkpoint.

    :raises ModelError: its channels are those of no ESPNetv2
    """
    fourth, last = published.get(FOURTH), published.get(LAST)
    if fourth is None or last is None:
        raise ModelError(f'expected ESPNetv2 with {FOURTH} and {LAST}, found it without')
    for scale, channels in CHANNELS.items():
        if channels[3] == fourth.shape[0]:
            return 'espnetv2', {'classes': last.shape[0], 'scale': scale}
    widths = ', '.join(str(channels[3]) for channels in CHANNELS.values())
    raise ModelError(f'expected ESPNetv2 with {widths} channels at 1/16, found {fourth.shape[0]}')


def published_espnetv2_keys(network: nn.Module) -> dict[str, str]:
    """
    Return the published key of every tensor of an ESPNetv2, by our key.

    :raises TypeError: it is none
    """
    if not isinstance(network, Espnetv2):
        raise TypeError(f'expected an Espnetv2, found {type(network).__name__}')
    return tensor_keys(network, dict(_layers()))


def _layers() -> Iterator[tuple[str, str]]:
    yield from below('encoder.stem', 'base_net.level1', _CONV_NORM_ACT)
    for level in (2, 3, 4):
        yield from below(f'encoder.down{level}', f'base_net.level{level}_0', _DOWNSAMPLER)
    for level, depth in ((3, DEPTH3), (4, DEPTH4)):
        for index in range(depth):
            yield from below(
                f'encoder.stage{level}.{index}', f'base_net.level{level}.{index}', _MODULE
            )
    for step, divisor in enumerate((16, 8, 4, 2), start=1):
        yield from below(f'pool{divisor}', f'bu_dec_l{step}', _POOLING)
        if step > 1:
            merge = f'merge{divisor}'
            yield from below(f'{merge}.convolve', f'merge_enc_dec_l{step}', _WEIGHTED)
            yield from below(f'{merge}.norm_act', f'bu_br_l{step}', _NORM_ACT)
