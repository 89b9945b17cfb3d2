"""ESPNetv2 (Mehta et al., CVPR 2019), the successor of ESPNet."""

from __future__ import annotations

from espnet_ros.models.espnetv2.network import Espnetv2

__all__ = ['Espnetv2']
