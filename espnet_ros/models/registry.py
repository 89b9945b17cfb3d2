"""The networks by the name that model files give them."""

from __future__ import annotations

from typing import Any

from espnet_ros.exceptions import ModelError
from espnet_ros.models.base import SegmentationNetwork
from espnet_ros.models.enet import Enet
from espnet_ros.models.erfnet import Erfnet
from espnet_ros.models.espnet import Espnet, EspnetA, EspnetB, EspnetC
from espnet_ros.models.espnetv2 import Espnetv2
from espnet_ros.models.ndnet import Ndnet, NdnetFcn

ARCHITECTURES: dict[str, type[SegmentationNetwork]] = {
    'espnet': Espnet,
    'espnet_c': EspnetC,
    'espnet_b': EspnetB,
    'espnet_a': EspnetA,
    'espnetv2': Espnetv2,
    'enet': Enet,
    'ndnet': Ndnet,
    'ndnet_fcn': NdnetFcn,
    'erfnet': Erfnet,
}


def create_model(architecture: str, **arguments: Any) -> SegmentationNetwork:
    """
    Build a network with fresh weights.

    :param architecture: a key of :data:`ARCHITECTURES`
    :param arguments: what its class takes, for example ``classes=20, alpha3=8``
    :raises ModelError: an unknown architecture, or arguments that it does not take
    """
    network_class = ARCHITECTURES.get(architecture)
    if network_class is None:
        raise ModelError(
            f'expected an architecture of {", ".join(ARCHITECTURES)}, found {architecture!r}'
        )
    try:
        return network_class(**arguments)
    except (TypeError, ValueError) as error:
        raise ModelError(f'architecture {architecture}: {error}') from error
