"""How a model is run: runtime, engines, and files of another origin."""

from __future__ import annotations

from dataclasses import dataclass
import os

from espnet_ros.config.images import check_size
from espnet_ros.settings import section, setting

RUNTIMES = ('auto', 'tensorrt', 'tensorrt_rtx', 'openvino', 'onnxruntime', 'torch', 'fake')
PRECISIONS = ('auto', 'fp32', 'fp16', 'bf16', 'int8')
RESIZES = ('auto', 'host', 'device')


@dataclass(frozen=True)
class EngineSettings:
    """How TensorRT engines are built and kept; other runtimes have none."""

    engine_cache_dir: str = setting(
        '',
        'Folder of TensorRT engines, of this user alone; empty takes espnet_ros/engines in the '
        "user's cache folder.",
        read_only=True,
    )
    force_rebuild: bool = setting(
        False, 'Build the TensorRT engine even if one is kept.', read_only=True
    )
    workspace_mb: int = setting(
        0,
        'Most memory in MiB that TensorRT may work in; 0 takes what the batch is likely to need, '
        'at least 1024. Set less on boards with 4 GB.',
        minimum=0,
        maximum=65536,
        read_only=True,
    )
    optimization_level: int = setting(
        3,
        'How long TensorRT searches, 0 to 5; more takes longer to build and may run faster.',
        minimum=0,
        maximum=5,
        read_only=True,
    )
    engine_confidence: bool = setting(
        True,
        'Whether the engine computes the confidence with every frame. false saves a softmax '
        'per frame, but then there is no ~/confidence and no confidence_threshold.',
        read_only=True,
    )


@dataclass(frozen=True)
class FakeSettings:
    """How the runtime without a network behaves."""

    latency_ms: float = setting(
        0.0,
        'Milliseconds per batch of the runtime fake, as a stand-in for a device: the processor is '
        'free meanwhile, and the labels are rougher. 0 is off.',
        minimum=0.0,
        maximum=60000.0,
        read_only=True,
    )


@dataclass(frozen=True)
class RuntimeSettings:
    """How a model file is run."""

    runtime: str = setting(
        'auto',
        'What runs the network; auto takes the first usable of tensorrt, tensorrt_rtx (RTX '
        'cards), openvino, onnxruntime, torch.',
        choices=RUNTIMES,
        read_only=True,
    )
    precision: str = setting(
        'auto',
        'Arithmetic of the network; auto takes the fastest that the device supports natively, '
        'without calibration.',
        choices=PRECISIONS,
        read_only=True,
    )
    device: str = setting(
        'auto',
        'Device as the runtime calls it, for example CPU, GPU or cuda:0; auto takes its default.',
        read_only=True,
    )
    threads: int = setting(
        0,
        'CPU threads of the runtime; 0 takes every core that the process may use.',
        minimum=0,
        maximum=1024,
        read_only=True,
    )
    input_size: tuple[int, ...] = setting(
        (0, 0),
        'Size [height, width] in pixels that images are resized to for the network; [0, 0] is '
        "the model's own. A larger size shows smaller things and takes longer; weights work "
        'best near the size that they were trained at.',
        minimum=0,
        maximum=16384,
        read_only=True,
    )
    resize: str = setting(
        'auto',
        "Where images are resized to the network's input: host (CPU, in bytes), or device (in "
        'the graph, in float, closer to the training); auto is device in a TensorRT engine for '
        'images of up to 2048x1536, and else host; docs/benchmark.md compares them.',
        choices=RESIZES,
        read_only=True,
    )
    engine: EngineSettings = section(EngineSettings)
    fake: FakeSettings = section(FakeSettings, 'fake')

    def __post_init__(self) -> None:
        check_size('input_size', self.input_size)

    @property
    def thread_count(self) -> int:
        """Return the threads that were requested, else every core that the process may use."""
        return self.threads or len(os.sched_getaffinity(0))


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
