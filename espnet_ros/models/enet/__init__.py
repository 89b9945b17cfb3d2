"""ENet (Paszke et al., 2016), with which the paper of ESPNet compares."""

from __future__ import annotations

from espnet_ros.models.enet.network import Enet

__all__ = ['Enet']
