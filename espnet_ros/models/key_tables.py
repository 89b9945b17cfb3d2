"""Tables that pair our names of layers with those of published checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from espnet_ros.models.base import UNUSED_TENSOR
from torch import nn

Pairs = tuple[tuple[str, str], ...]
"""Names of layers, ours and theirs, below a block; empty names are the block itself."""

Blocks = tuple[tuple[str, str, Pairs], ...]
"""Names of blocks, ours and theirs, and what lies below them."""


def below(ours: str, theirs: str, pairs: Pairs) -> Pairs:
    """Return the pairs as they are called from outside of a block."""
    return tuple((_join(ours, mine), _join(theirs, other)) for mine, other in pairs)


def expand(blocks: Blocks) -> Iterator[tuple[str, str]]:
    """Yield every layer of the blocks, ours and theirs."""
    for ours, theirs, pairs in blocks:
        yield from below(ours, theirs, pairs)


def tensor_keys(network: nn.Module, layers: Mapping[str, str]) -> dict[str, str]:
    """
    Return their key of every tensor of a network, by our key.

    The map is total and one-to-one, but for ``num_batches_tracked``: a counter of newer
    versions of torch that published files may lack and nothing here uses.

    :param layers: their name of every layer that has tensors, by our name
    """
    keys = {}
    for key in network.state_dict():
        layer, _, tensor = key.rpartition('.')
        if tensor != UNUSED_TENSOR:
            keys[key] = f'{layers[layer]}.{tensor}'
    return keys


def _join(outer: str, inner: str) -> str:
    return '.'.join(filter(None, (outer, inner)))
