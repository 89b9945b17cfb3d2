"""The settings of the segmentation node."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.config.health import DiagnosticsSettings, PowerSettings
from espnet_ros.config.images import ImageSettings, LEAST_CONTRAST
from espnet_ros.config.mask import MaskSettings, OverlaySettings
from espnet_ros.config.runtime import ForeignModelSettings, RuntimeSettings
from espnet_ros.config.web import WebSettings
from espnet_ros.settings import section, setting


@dataclass(frozen=True)
class SegmentationNodeSettings:
    model: str = setting(
        'auto',
        'Model: name of a shipped or fetched one, or path of an ONNX file; auto takes a '
        'shipped one, else the first fetched.',
        read_only=True,
    )
    runtime_settings: RuntimeSettings = section(RuntimeSettings)
    foreign: ForeignModelSettings = section(ForeignModelSettings, 'foreign')
    cameras: tuple[str, ...] = setting(
        ('',),
        "Camera names; each puts its name before the topics. [''] is one camera without a name.",
        read_only=True,
    )
    image_transport: str = setting(
        'raw',
        'Subscribe image_raw or image_raw/compressed.',
        choices=('raw', 'compressed'),
        read_only=True,
    )
    camera_info_max_lag_ms: float = setting(
        1000.0,
        'How much older than the image a camera_info may be, if none has the same stamp; 0 takes '
        'equal stamps only.',
        minimum=0.0,
    )
    images: ImageSettings = section(ImageSettings)
    min_contrast: int = setting(
        LEAST_CONTRAST,
        'Difference between bright and dark parts of an image, of 255, below which it shows '
        'nothing and gets no mask: networks take a covered lens for road. 0 is off.',
        minimum=0,
        maximum=255,
    )
    mask: MaskSettings = section(MaskSettings)
    overlay: OverlaySettings = section(OverlaySettings, 'overlay')
    max_rate_hz: float = setting(
        0.0,
        'Highest rate of inference; frames above it count as dropped. 0 is no limit.',
        minimum=0.0,
    )
    start_enabled: bool = setting(
        True, 'Whether the node segments from the start; ~/enable changes it.', read_only=True
    )
    autostart: bool = setting(True, 'Configure and activate by itself at start.', read_only=True)
    build_only: bool = setting(
        False,
        'Open the model, which builds the TensorRT engine, then end; prepares a robot.',
        read_only=True,
    )
    diagnostics: DiagnosticsSettings = section(DiagnosticsSettings, 'diagnostics')
    power: PowerSettings = section(PowerSettings, 'power')
    web: WebSettings = section(WebSettings, 'web')
