"""The families of networks whose checkpoints are published, and how to read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import re
from typing import Any

from espnet_ros.models.enet.published_keys import infer_enet, is_enet, published_enet_keys
from espnet_ros.models.espnet.published_keys import infer_espnet, is_espnet, published_espnet_keys
from espnet_ros.models.espnetv2.published_keys import (
    infer_espnetv2,
    is_espnetv2,
    published_espnetv2_keys,
    UNUSED,
)
from torch import nn, Tensor

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
