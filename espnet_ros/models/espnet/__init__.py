"""ESPNet and its relatives: what the paper of 2018 builds, compares and takes apart."""

from __future__ import annotations

from espnet_ros.models.espnet.encoder import EspnetA, EspnetB, EspnetC
from espnet_ros.models.espnet.network import Espnet

__all__ = ['Espnet', 'EspnetA', 'EspnetB', 'EspnetC']
