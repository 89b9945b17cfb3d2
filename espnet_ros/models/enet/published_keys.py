"""
How the checkpoints of github.com/davidtvs/PyTorch-ENet name the tensors of ENet.

Those of 2018 and those of today differ, in the names as in the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from espnet_ros.exceptions import ModelError
from espnet_ros.models.enet.network import Enet
from espnet_ros.models.key_tables import below, expand, Pairs, tensor_keys
from torch import nn, Tensor

FIRST, LAST = 'initial_block.main_branch.weight', 'transposed_conv.weight'
_TODAY = 'upsample4_0.ext_tconv1.weight'

_KINDS = ('regular', 'dilated', 'asymmetric', 'dilated') * 2
_UNIT: Pairs = (('0', '0'), ('1', '1'), ('2', '2'))


def is_enet(published: Mapping[str, Tensor]) -> bool:
    """Tell whether a checkpoint is one of PyTorch-ENet."""
    return FIRST in published


def infer_enet(published: Mapping[str, Tensor]) -> tuple[str, dict[str, Any]]:
    """
    Return architecture and arguments of a checkpoint.

    :raises ModelError: it has no classifier
    """
    last = published.get(LAST)
    if last is None or last.ndim != 4:
        raise ModelError(f'expected ENet with a convolution {LAST}, found none')
    variant = 'davidtvs' if _TODAY in published else 'davidtvs_2018'
    return 'enet', {'classes': last.shape[1], 'variant': variant}


def published_enet_keys(network: nn.Module) -> dict[str, str]:
    """
    Return the published key of every tensor of an ENet, by our key.

    :raises TypeError: it is no ENet, or a variant that nobody published weights of
    """
    if not isinstance(network, Enet) or not network.variant.startswith('davidtvs'):
        raise TypeError('expected an Enet of PyTorch-ENet')
    return tensor_keys(network, dict(_layers(today=network.variant == 'davidtvs')))


def _layers(*, today: bool) -> Iterator[tuple[str, str]]:
    act: Pairs = (('act', 'out_activation' if today else 'out_prelu'),)
    bottleneck: Pairs = (
        *below('project', 'ext_conv1', _UNIT),
        *below('convolve', 'ext_conv2', _UNIT),
        *below('expand', 'ext_conv3', _UNIT),
        *act,
    )
    asymmetric: Pairs = (
        *(pair for pair in bottleneck if not pair[0].startswith('convolve')),
        *((f'convolve.{i // 3}.{i % 3}', f'ext_conv2.{i}') for i in range(6)),
    )
    yield from expand(
        (
            ('stem', 'initial_block', (('conv', 'main_branch'), ('norm', 'batch_norm'), *act)),
            ('down1', 'downsample1_0', bottleneck),
            ('down2', 'downsample2_0', bottleneck),
            ('up4', 'upsample4_0', _up_bottleneck(today=today)),
            ('up5', 'upsample5_0', _up_bottleneck(today=today)),
            ('stage5.0', 'regular5_1', bottleneck),
            ('classifier', 'transposed_conv', (('', ''),)),
        )
    )
    for stage, count in ((1, 4), (4, 2)):
        for i in range(count):
            yield from below(f'stage{stage}.{i}', f'regular{stage}_{i + 1}', bottleneck)
    for stage, first in ((2, 1), (3, 0)):
        for i, kind in enumerate(_KINDS):
            pairs = asymmetric if kind == 'asymmetric' else bottleneck
            yield from below(f'stage{stage}.{i}', f'{kind}{stage}_{i + first}', pairs)


def _up_bottleneck(*, today: bool) -> Pairs:
    narrow = below('narrow', 'main_conv1', _UNIT)
    project = below('project', 'ext_conv1', _UNIT)
    if today:
        convolve: Pairs = (('convolve.0', 'ext_tconv1'), ('convolve.1', 'ext_tconv1_bnorm'))
        return (*narrow, *project, *convolve, *below('expand', 'ext_conv2', _UNIT))
    return (
        *narrow,
        *project,
        *below('convolve', 'ext_conv2', _UNIT),
        *below('expand', 'ext_conv3', _UNIT),
        ('act', 'out_prelu'),
    )
