"""The settings of everything that has some, as frozen dataclasses; nothing here knows ROS."""

from espnet_ros.config.camera_source import CameraSourceSettings
from espnet_ros.config.free_space import (
    BirdseyeSettings,
    FreeSpaceSettings,
    FusionSettings,
    GridSettings,
    MountSettings,
    ScanSettings,
)
from espnet_ros.config.health import DiagnosticsSettings, POWER_SENSORS, PowerSettings
from espnet_ros.config.images import ImageSettings
from espnet_ros.config.launch import LaunchSettings
from espnet_ros.config.mask import MaskSettings, OverlaySettings
from espnet_ros.config.runtime import (
    EngineSettings,
    FakeSettings,
    ForeignModelSettings,
    PRECISIONS,
    RESIZES,
    RUNTIMES,
    RuntimeSettings,
)
from espnet_ros.config.segmentation import SegmentationNodeSettings
from espnet_ros.config.web import WEB_PORT, WebSettings

__all__ = [
    'BirdseyeSettings',
    'CameraSourceSettings',
    'DiagnosticsSettings',
    'EngineSettings',
    'FakeSettings',
    'ForeignModelSettings',
    'FreeSpaceSettings',
    'FusionSettings',
    'GridSettings',
    'LaunchSettings',
    'ImageSettings',
    'MaskSettings',
    'MountSettings',
    'OverlaySettings',
    'POWER_SENSORS',
    'PRECISIONS',
    'PowerSettings',
    'RESIZES',
    'RUNTIMES',
    'RuntimeSettings',
    'ScanSettings',
    'SegmentationNodeSettings',
    'WEB_PORT',
    'WebSettings',
]
