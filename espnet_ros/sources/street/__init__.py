"""The synthetic street: rendered camera images with exact labels and geometry."""

from espnet_ros.sources.street.scene import Box, Cylinder, StreetScene
from espnet_ros.sources.street.source import StreetSource

__all__ = ['Box', 'Cylinder', 'StreetScene', 'StreetSource']
