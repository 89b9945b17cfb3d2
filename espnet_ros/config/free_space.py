"""The settings of the free space node."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Any

from espnet_ros.config.health import DiagnosticsSettings
from espnet_ros.exceptions import ConfigError
from espnet_ros.settings import section, setting, Value

_FARTHEST_M = 1000.0


def _around_zero(default: Value, description: str, most: float) -> Any:
    return setting(default, description, minimum=-most, maximum=most)


@dataclass(frozen=True)
class MountSettings:
    """How cameras are mounted, where TF does not tell: one value, or one for each camera."""

    height_m: tuple[float, ...] = setting(
        (0.0,),
        'Height of the camera over the ground, metres; 0 is not known.',
        minimum=0.0,
        maximum=_FARTHEST_M,
    )
    pitch_rad: tuple[float, ...] = _around_zero(
        (0.0,), 'How far the camera points below the horizontal, radians.', 1.6
    )
    roll_rad: tuple[float, ...] = _around_zero(
        (0.0,), "How far the camera's right side hangs below its left one, radians.", 3.2
    )
    yaw_rad: tuple[float, ...] = _around_zero(
        (0.0,), 'How far the camera points to the left, radians.', 6.3
    )
    x_m: tuple[float, ...] = _around_zero(
        (0.0,), 'Camera ahead of the base frame, metres.', _FARTHEST_M
    )
    y_m: tuple[float, ...] = _around_zero(
        (0.0,), 'Camera to the left of the base frame, metres.', _FARTHEST_M
    )

    def of_camera(self, index: int) -> dict[str, float]:
        """Return the values of one camera by name."""
        return {
            name: values[index if len(values) > 1 else 0] for name, values in vars(self).items()
        }


@dataclass(frozen=True)
class GridSettings:
    """The map, in the base frame."""

    resolution_m: float = setting(0.1, 'Edge of a cell, metres.', minimum=0.01, maximum=10.0)
    x_min_m: float = _around_zero(0.0, 'Where the map begins, metres ahead.', _FARTHEST_M)
    x_max_m: float = _around_zero(20.0, 'Where the map ends, metres ahead.', _FARTHEST_M)
    y_min_m: float = _around_zero(-10.0, 'Where the map begins, metres to the left.', _FARTHEST_M)
    y_max_m: float = _around_zero(10.0, 'Where the map ends, metres to the left.', _FARTHEST_M)


@dataclass(frozen=True)
class ScanSettings:
    """The ranges, around the base frame."""

    angle_min_rad: float = _around_zero(
        -math.pi / 2, 'First bearing, counterclockwise from ahead.', 6.3
    )
    angle_max_rad: float = _around_zero(math.pi / 2, 'Last bearing.', 6.3)
    angle_increment_rad: float = setting(0.00873, 'Angle between bearings, radians.', minimum=1e-4)
    range_min_m: float = setting(0.3, 'Nearest range, metres.', minimum=0.0, maximum=_FARTHEST_M)
    range_max_m: float = setting(20.0, 'Farthest range, metres.', minimum=0.1, maximum=1000.0)
    blocking_cost: int = setting(
        100,
        'Lowest cost that ends a range; 40 ends it at the sidewalk too.',
        minimum=1,
        maximum=100,
    )


@dataclass(frozen=True)
class FusionSettings:
    """How the map remembers, where TF has the odometry frame."""

    enabled: bool = setting(True, 'Whether the map remembers earlier masks.')
    decay_s: float = setting(
        2.0, 'Time after which an observation has 1/e of its weight, seconds.', minimum=0.01
    )


@dataclass(frozen=True)
class FreeSpaceSettings:
    """Every parameter of the free space node."""

    cameras: tuple[str, ...] = setting(
        ('',),
        'Camera names; each puts its name before mask, label_set, confidence and camera_info. '
        "[''] is one camera without a name.",
        read_only=True,
    )
    label_set: str = setting(
        'auto',
        'What the ids of the mask mean and what driving over them costs. auto takes it from the '
        'topic label_set. A name (cityscapes, camvid, categories) or a YAML file must agree with '
        'what comes on that topic, and is used alone if nothing comes.',
        read_only=True,
    )
    label_groups: str = setting(
        '',
        'Groups of classes of the set in label_set, written as for the segmentation node.',
        read_only=True,
    )
    costs: tuple[str, ...] = setting(
        ('',),
        "Your own costs by class name, for example ['sidewalk=20', 'terrain=100'], 0 to 100, with "
        'any label set. Whether a class is flat or upright does not change.',
    )
    use_confidence: bool = setting(
        False,
        'Subscribe the confidence too: masks wait for it, and map and obstacles are weighted by '
        'it.',
        read_only=True,
    )
    image_rectified: bool = setting(
        False,
        'Whether masks are of rectified images: P of camera_info describes them, else K and D.',
        read_only=True,
    )
    base_frame: str = setting(
        'base_link', 'Frame of what is published: x ahead, y left, z up.', read_only=True
    )
    odometry_frame: str = setting('odom', 'Frame in which the map remembers.', read_only=True)
    pose_source: str = setting(
        'auto',
        'Where the camera is: tf, or the parameters mount.*; auto takes tf where tf2_ros is '
        'installed.',
        choices=('auto', 'tf', 'parameters'),
        read_only=True,
    )
    mount: MountSettings = section(MountSettings, 'mount')
    ground_z_m: float = _around_zero(
        0.0, 'Height of the ground in the base frame, metres.', _FARTHEST_M
    )
    correct_pitch: bool = setting(
        False, 'Correct the pitch where road is seen above the horizon or sky below it.'
    )
    max_horizon_conflict: float = setting(
        0.25,
        'Share of road and sky on the wrong side of the horizon above which a mask gives no '
        'metres, as the pose of the camera must be wrong. 1 is off.',
        minimum=0.0,
        maximum=1.0,
    )
    max_age_ms: float = setting(
        500.0,
        "Time from the image's stamp after which a mask is dropped and counted; until then it "
        'waits for its camera_info, label set and transforms. 0 is off: it then waits twice '
        'diagnostics.image_timeout_s.',
        minimum=0.0,
    )
    obstacle_depth_m: float = setting(
        0.5,
        'Assumed depth of things that stand on the ground, metres; the ground behind is unknown.',
        minimum=0.0,
        maximum=100.0,
    )
    bridged_gap_px: int = setting(
        2,
        'Unlabelled gaps of at most so many pixels take the class behind them.',
        minimum=0,
        maximum=100,
    )
    drivable_cost: int = setting(
        20, 'Highest cost of what ~/free_space encloses.', minimum=0, maximum=99
    )
    grid: GridSettings = section(GridSettings, 'grid')
    scan: ScanSettings = section(ScanSettings, 'scan')
    fusion: FusionSettings = section(FusionSettings, 'fusion')
    autostart: bool = setting(True, 'Configure and activate by itself at start.', read_only=True)
    diagnostics: DiagnosticsSettings = section(DiagnosticsSettings, 'diagnostics')

    def __post_init__(self) -> None:
        for name, values in vars(self.mount).items():
            if len(values) not in (1, len(self.cameras)):
                raise ConfigError(
                    f'mount.{name}: expected one value or one for each of {len(self.cameras)} '
                    f'cameras, found {len(values)}'
                )


@dataclass(frozen=True)
class BirdseyeSettings:
    """The camera of a picture whose ground is drawn from above."""

    camera_height_m: float = setting(
        0.0,
        'Height of the camera over the ground, metres; needed where the source does not know it.',
        minimum=0.0,
        maximum=100.0,
    )
    camera_pitch_deg: float = setting(
        0.0,
        'How far the camera points below the horizontal, degrees.',
        minimum=-45.0,
        maximum=90.0,
    )
    field_of_view_deg: float = setting(
        60.0, 'Angle between the left and the right edge of the image.', minimum=5.0, maximum=170.0
    )
    correct_pitch: bool = setting(
        True, 'Correct the pitch where road is seen above the horizon or sky below it.'
    )
    reach_m: float = setting(
        30.0, 'How far ahead the ground is drawn, metres.', minimum=2.0, maximum=200.0
    )
