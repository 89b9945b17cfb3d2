"""What a benchmark of the nodes runs: which nodes, on which camera, heard by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
import math
from pathlib import Path

from espnet_ros.exceptions import ConfigError

SEGMENTATION = 'segmentation'
FREE_SPACE = 'free_space'

MASK = 'mask'
OUTPUTS = (
    MASK,
    'confidence',
    'color_mask',
    'overlay',
    'mask/compressed',
    'overlay/compressed',
    'camera_info',
    'stats',
)
"""What can be subscribed of the segmentation node for each camera."""

MAPS = ('costmap', 'scan')
"""What is subscribed of the free space node; the map is what it is judged by."""

IMAGE_SIZE = (1080, 1920)


@dataclass(frozen=True)
class NodeCase:
    """
    A benchmark of nodes in processes of their own.

    :param nodes: segmentation, free_space, or both; free_space alone is fed with masks
    :param parameters: of the segmentation node, by name
    :param cameras: how many, all of the same image
    :param camera_rate_hz: images per second and camera, or masks where free_space is alone; 0
        publishes a new one as soon as what became of an earlier one has arrived
    :param image_path: file of the image, None for a rendered street
    :param image_size: (height, width) in pixels; None is the file's own, 1080p for the street
    :param outputs: of the segmentation node, which are subscribed; the mask always is
    :param device_latency_ms: what a stand-in for the device takes; None runs the real runtime
    :param measured_s: how long rates, times and CPU are measured
    :param startup_limit_s: how long the first mask may take; TensorRT builds its engine before
    :raises ConfigError: values that do not go together
    """

    nodes: tuple[str, ...] = (SEGMENTATION,)
    parameters: Mapping[str, object] = field(default_factory=dict)
    cameras: int = 1
    camera_rate_hz: float = 30.0
    image_path: Path | None = None
    image_size: tuple[int, int] | None = None
    outputs: tuple[str, ...] = (MASK,)
    device_latency_ms: float | None = None
    measured_s: float = 10.0
    startup_limit_s: float = 120.0

    def __post_init__(self) -> None:
        unknown = [name for name in self.outputs if name not in OUTPUTS]
        if unknown:
            raise ConfigError(
                f'outputs: expected some of {", ".join(OUTPUTS)}, found {", ".join(unknown)}'
            )
        if self.has_free_space and self.image_path is not None:
            raise ConfigError(
                'free space: expected the rendered street, whose camera is known, found the image '
                f'{self.image_path}'
            )
        if not self.has_segmentation and self.device_latency_ms is not None:
            raise ConfigError('free space alone: expected no device, as it has no network')

    @property
    def has_segmentation(self) -> bool:
        return SEGMENTATION in self.nodes

    @property
    def has_free_space(self) -> bool:
        return FREE_SPACE in self.nodes

    @property
    def camera_names(self) -> tuple[str, ...]:
        """Return the names of the cameras; a single one has none."""
        if self.cameras == 1:
            return ('',)
        return tuple(f'camera_{index}' for index in range(self.cameras))

    @property
    def heard(self) -> tuple[str, ...]:
        """Return the outputs of the segmentation node that are subscribed, the mask first."""
        return tuple(dict.fromkeys((MASK, *self.outputs))) if self.has_segmentation else ()

    def best_rate_hz(self, inference_s: float | None) -> float | None:
        """
        Return the masks per second and camera that the device alone would give.

        :param inference_s: what the device takes for a batch where it is no stand-in, or None
        """
        if self.device_latency_ms is not None:
            inference_s = self.device_latency_ms * 1e-3
        limits_hz = (self.camera_rate_hz, 1 / inference_s if inference_s else 0.0)
        best_hz = min((limit for limit in limits_hz if limit), default=math.nan)
        return None if math.isnan(best_hz) else best_hz
