"""The settings of runtimes, masks, overlays, diagnostics and of the segmentation node."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.exceptions import ConfigError
from espnet_ros.settings import section, setting

RUNTIMES = ('auto', 'tensorrt', 'openvino', 'onnxruntime', 'torch', 'fake')
POWER_SENSORS = ('auto', 'jetson', 'tegrastats', 'nvml', 'rapl', 'amdgpu', 'battery', 'none')
PRECISIONS = ('auto', 'fp32', 'fp16', 'bf16', 'int8')


@dataclass(frozen=True)
class EngineSettings:
    """How TensorRT engines are built and kept; other runtimes have none."""

    engine_cache_dir: str = setting(
        '',
        "Folder of TensorRT engines, this user's alone; empty takes espnet_ros/engines in the "
        "user's cache folder.",
        read_only=True,
    )
    force_rebuild: bool = setting(
        False, 'Build the TensorRT engine even where one is kept.', read_only=True
    )
    workspace_mb: int = setting(
        1024,
        'Memory in MiB that a layer may work in while TensorRT tries it; less for boards of 4 GB.',
        minimum=16,
        maximum=65536,
        read_only=True,
    )
    dla_core: int = setting(
        -1,
        'DLA core of a Jetson that computes what it can, in fp16; -1 takes the GPU alone.',
        minimum=-1,
        maximum=15,
        read_only=True,
    )
    optimization_level: int = setting(
        3,
        'How long TensorRT searches, 0 to 5 (TensorRT 8.6 and newer); more takes longer to build '
        'and may run faster.',
        minimum=0,
        maximum=5,
        read_only=True,
    )


@dataclass(frozen=True)
class RuntimeSettings:
    """How a model file is run."""

    runtime: str = setting(
        'auto',
        'What runs the network; auto takes the first usable of tensorrt, openvino, '
        'onnxruntime, torch.',
        choices=RUNTIMES,
        read_only=True,
    )
    precision: str = setting(
        'auto',
        'Arithmetic of the network; auto takes the fastest that the device has natively '
        'without calibration.',
        choices=PRECISIONS,
        read_only=True,
    )
    device: str = setting(
        'auto',
        'Device in the words of the runtime, for example CPU, GPU or cuda:0; auto takes '
        'its default.',
        read_only=True,
    )
    threads: int = setting(
        0,
        'CPU threads of the runtime; 0 takes every core that the process may use.',
        minimum=0,
        maximum=1024,
        read_only=True,
    )
    engine: EngineSettings = section(EngineSettings)


@dataclass(frozen=True)
class ForeignModelSettings:
    """How to feed an ONNX file of another origin (float image to logits or labels)."""

    mean: tuple[float, ...] = setting(
        (0.0,),
        "Mean subtracted from each channel, in the file's channel order and after "
        'scale; one value serves all three.',
        read_only=True,
    )
    std: tuple[float, ...] = setting(
        (1.0,),
        'Standard deviation that each channel is divided by.',
        minimum=1e-12,
        read_only=True,
    )
    scale: float = setting(
        1.0,
        'Factor on the 0..255 values before mean and std, for example 0.00392156862745098.',
        minimum=1e-12,
        read_only=True,
    )
    channel_order: str = setting(
        'rgb', 'Channel order that the file expects.', choices=('rgb', 'bgr'), read_only=True
    )
    class_names: tuple[str, ...] = setting(
        ('',), 'Class names in order of their ids.', read_only=True
    )


@dataclass(frozen=True)
class MaskSettings:
    """What a mask holds and how large it is."""

    roi: tuple[int, ...] = setting(
        (0, 0, 0, 0),
        'Part of the image to segment, [x, y, width, height] in pixels; '
        '[0, 0, 0, 0] is all of it. The mask is unlabelled outside.',
        minimum=0,
    )
    mask_size: str = setting(
        'image',
        'Size of the mask: image, network, or height,width in pixels (resized by '
        'nearest neighbour).',
    )
    unlabelled_id: int = setting(255, 'Id of pixels without a label.', minimum=0, maximum=255)
    confidence_threshold: float = setting(
        0.0,
        'Pixels whose confidence is below become unlabelled; 0 is off.',
        minimum=0.0,
        maximum=1.0,
    )
    label_groups: str = setting(
        '',
        'Merges classes: the name of a grouping of the label set (categories), or '
        '"drivable=road,terrain; obstacle=person,car". Classes in no group become unlabelled.',
    )

    def __post_init__(self) -> None:
        if len(self.roi) != 4 or (any(self.roi) and not (self.roi[2] and self.roi[3])):
            raise ConfigError(
                'roi: expected [x, y, width, height] with a width and height above '
                f'0, or four zeros, found {list(self.roi)}'
            )
        self.fixed_mask_size()

    def fixed_mask_size(self) -> tuple[int, int] | None:
        """
        Return (height, width) where ``mask_size`` gives one, else None.

        :raises ConfigError: it is neither a word that is known nor a size
        """
        if self.mask_size in ('image', 'network'):
            return None
        parts = self.mask_size.strip('[] ').split(',')
        if len(parts) == 2 and all(p.strip().isdecimal() for p in parts):
            height, width = (int(p) for p in parts)
            if 1 <= height <= 16384 and 1 <= width <= 16384:
                return height, width
        raise ConfigError(
            'mask_size: expected image, network or "height,width" of 1 to 16384, '
            f'found {self.mask_size!r}'
        )


@dataclass(frozen=True)
class OverlaySettings:
    """How a mask is drawn over its image."""

    alpha: float = setting(0.5, 'Opacity of the class colours, 0 to 1.', minimum=0.0, maximum=1.0)
    legend: bool = setting(False, 'Draw the names and colours of the classes that are seen.')


@dataclass(frozen=True)
class DiagnosticsSettings:
    """When /diagnostics warns."""

    min_rate_hz: float = setting(
        1.0,
        'Output rate below which a camera warns; below half of it is an error. 0 is off.',
        minimum=0.0,
    )
    max_latency_ms: float = setting(
        1000.0,
        'Time from image received to mask published above which it warns; above twice '
        'that is an error. 0 is off.',
        minimum=0.0,
    )
    max_age_ms: float = setting(
        2000.0,
        "Time from the image's stamp to the mask published above which it warns; above "
        'twice that is an error. 0 is off.',
        minimum=0.0,
    )
    image_timeout_s: float = setting(
        1.0,
        'Time without an image after which the input warns; after twice that is an error.',
        minimum=0.01,
    )


@dataclass(frozen=True)
class PowerSettings:
    """What the power and the state of the machine are read from, and what they may be."""

    sensor: str = setting(
        'auto',
        "What the power is read from; auto takes what tells most of the machine's power, none "
        'reads nothing.',
        choices=POWER_SENSORS,
        read_only=True,
    )
    rate_hz: float = setting(
        2.0,
        'Readings per second; Jetson boards have two new values a second.',
        minimum=0.1,
        maximum=100.0,
        read_only=True,
    )
    budget_w: float = setting(
        0.0,
        'Mean power of the last seconds in watts above which it warns; above 1.25 times that '
        'is an error. 0 is off.',
        minimum=0.0,
    )
    max_temperature_c: float = setting(
        90.0,
        'Temperature in degrees Celsius of the hottest part above which it warns; 10 degrees '
        'more is an error. 0 is off.',
        minimum=0.0,
        maximum=150.0,
    )
    shed_load: bool = setting(
        False,
        'Lower the rate of inference step by step while power or temperature are above their '
        'limits, and raise it again when they are well below.',
    )


@dataclass(frozen=True)
class SegmentationNodeSettings:
    """Every parameter of the segmentation node."""

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
    mask: MaskSettings = section(MaskSettings)
    overlay: OverlaySettings = section(OverlaySettings, 'overlay')
    max_rate_hz: float = setting(
        0.0,
        'Highest rate of inference; frames above it count as dropped. 0 is no limit.',
        minimum=0.0,
    )
    start_enabled: bool = setting(
        True, 'Whether it segments from the start; ~/enable changes it.', read_only=True
    )
    autostart: bool = setting(True, 'Configure and activate by itself at start.', read_only=True)
    build_only: bool = setting(
        False,
        'Open the model, which builds the TensorRT engine, and end: to prepare a robot.',
        read_only=True,
    )
    diagnostics: DiagnosticsSettings = section(DiagnosticsSettings, 'diagnostics')
    power: PowerSettings = section(PowerSettings, 'power')


@dataclass(frozen=True)
class CameraSourceSettings:
    """Every parameter of the camera source node."""

    source: str = setting(
        'synthetic',
        'What to play: path of a video, an image or a folder of images, number of a webcam, or '
        'synthetic for the synthetic street.',
        read_only=True,
    )
    rate_hz: float = setting(
        0.0,
        "Images per second; 0 takes the source's own rate, or 10 where it has none.",
        minimum=0.0,
        maximum=1000.0,
        read_only=True,
    )
    loop: bool = setting(False, 'Start files again at their end.', read_only=True)
    transport: str = setting(
        'raw',
        'Publish image_raw, image_raw/compressed or both.',
        choices=('raw', 'compressed', 'both'),
        read_only=True,
    )
    camera: str = setting(
        '',
        'Name of the camera; it is put before the topics, as in front/image_raw. Empty for none.',
        read_only=True,
    )
    frame_id: str = setting(
        'camera_optical_frame', 'Frame of the images, x right, y down, z ahead.', read_only=True
    )
    jpeg_quality: int = setting(
        90, 'Quality of compressed images.', minimum=1, maximum=100, read_only=True
    )
    publish_labels: bool = setting(
        False,
        'Publish the true class ids beside each image as ~/labels; the synthetic street only.',
        read_only=True,
    )
    size: tuple[int, ...] = setting(
        (0, 0),
        '[height, width] of the synthetic street, or to ask a webcam for; [0, 0] takes the '
        "source's own. Files have a size of their own.",
        minimum=0,
        maximum=8192,
        read_only=True,
    )
    seed: int = setting(0, 'Which synthetic street.', minimum=0, maximum=2**31 - 1, read_only=True)

    def __post_init__(self) -> None:
        if len(self.size) != 2 or (any(self.size) and not all(self.size)):
            raise ConfigError(
                'size: expected [height, width] in pixels above 0, or two zeros, found '
                f'{list(self.size)}'
            )
