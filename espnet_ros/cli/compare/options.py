"""What ``compare`` takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from espnet_ros.cli.fleet.options import EngineOptions
from espnet_ros.cli.options import argument, foreign_settings, option, section, settings
from espnet_ros.cli.values import percentage
from espnet_ros.config import EngineSettings, ForeignModelSettings

EPILOG = """
examples:
  espnet-ros compare auto@openvino:fp32 auto@openvino:bf16 photos
  espnet-ros compare auto@torch auto@onnxruntime street.png --require 99.9
  espnet-ros compare auto@openvino:host auto@openvino:device photos
  espnet-ros compare espnet_p2_q8_cityscapes espnet_p2_q3_cityscapes drive.mp4 --limit 100
  espnet-ros compare auto@openvino:fp32 auto@openvino:bf16 drives/* --engine ray --jobs 4
"""


_FORM = 'MODEL, MODEL@RUNTIME or MODEL@RUNTIME:PRECISION:RESIZE'


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is compared, and where the result goes."""

    USAGE = '%(prog)s A B SOURCE... [options]'
    EPILOG = EPILOG

    first: str = argument(f'What is compared with: {_FORM}.', 'A')
    second: str = argument(f'What is compared: {_FORM}.', 'B')
    sources: tuple[str, ...] = argument(
        'Images, folders of images, videos, bags or synthetic, also as patterns and lists '
        '(@files.txt). Several get a row each, and a total.',
        'SOURCE',
        nargs='+',
    )
    output: Path | None = option(
        None,
        'Write STEM_difference.png of every image that differs: the image darkened, differing '
        'pixels in magenta.',
        'DIR',
    )
    json: Path | None = option(None, 'Write the comparison as JSON.', 'FILE')
    require: float | None = option(
        None, 'Exit code 1 where fewer pixels agree.', 'PERCENT', type=percentage
    )
    limit: int | None = option(None, 'Stop after N frames of each source.', 'N')
    engine: EngineOptions = section(EngineOptions)
    tensorrt: EngineSettings = settings(EngineSettings, 'TensorRT engines')
    foreign: ForeignModelSettings = foreign_settings()
