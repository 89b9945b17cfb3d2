"""What ``build`` takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from espnet_ros.cli.options import ModelOptions, option, section, settings
from espnet_ros.config import RuntimeSettings

ENGINE_RUNTIMES = ('tensorrt', 'tensorrt_rtx')


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    GROUP = 'engine'

    settings: RuntimeSettings = settings(
        RuntimeSettings, GROUP, ('runtime', 'threads', 'fake.latency_ms')
    )
    runtime: str = option(
        'tensorrt',
        'Whose engine: tensorrt, or tensorrt_rtx for PCs with an RTX card and DGX Spark, which '
        'is built on any x86-64 machine.',
        choices=ENGINE_RUNTIMES,
    )
    batch_size: int = option(1, 'Largest batch: as many as the robot has cameras.', 'COUNT')
    image_size: tuple[int, int] | None = option(
        None,
        "With --resize device, the size in pixels of the camera's images (or of roi).",
        'HEIGHT,WIDTH',
    )


@dataclass(frozen=True, kw_only=True)
class QuantizationOptions:
    """What the model is quantised with before."""

    GROUP = 'int8 (needs onnxruntime, on any computer)'

    calibration: str | None = option(
        None,
        'Images or a video like those that the robot will see; the model is first quantised '
        'with them.',
        'SOURCE',
    )
    images: int = option(32, 'How many of them, evenly spread.', 'COUNT')
    quantized: Path | None = option(
        None,
        'Where to keep the quantised model (.onnx). Default: among the fetched models, as '
        'MODEL_int8.',
        'FILE',
    )


@dataclass(frozen=True, kw_only=True)
class Options:
    USAGE = '%(prog)s [--model MODEL] [--precision int8 --calibration SOURCE] [options]'

    model: ModelOptions = section(ModelOptions)
    engine: EngineOptions = section(EngineOptions)
    int8: QuantizationOptions = section(QuantizationOptions)
