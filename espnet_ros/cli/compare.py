"""The verb ``compare``: two models or runtimes on the same images."""

from __future__ import annotations

import argparse
from pathlib import Path

from espnet_ros.cli._options import (
    add_foreign_options,
    add_settings,
    percentage,
    positive_integer,
)
from espnet_ros.config import EngineSettings

EPILOG = """
examples:
  espnet-ros compare auto@openvino:fp32 auto@openvino:bf16 photos
  espnet-ros compare auto@torch auto@onnxruntime street.png --require 99.9
  espnet-ros compare auto@openvino:host auto@openvino:device photos
  espnet-ros compare espnet_p2_q8_cityscapes espnet_p2_q3_cityscapes drive.mp4 --limit 100
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = '%(prog)s A B SOURCE [options]'
    parser.epilog = EPILOG
    what = 'MODEL, MODEL@RUNTIME or MODEL@RUNTIME:PRECISION:RESIZE:TAIL'
    parser.add_argument('first', metavar='A', help=f'What is compared with: {what}.')
    parser.add_argument('second', metavar='B', help=f'What is compared: {what}.')
    parser.add_argument(
        'source',
        metavar='SOURCE',
        help='An image, a folder of images, a video, a bag or synthetic.',
    )
    parser.add_argument(
        '--output',
        type=Path,
        metavar='DIR',
        help='Write STEM_difference.png of every image that differs: the image darkened, '
        'differing pixels in magenta.',
    )
    parser.add_argument('--json', type=Path, metavar='FILE', help='Write the comparison as JSON.')
    parser.add_argument(
        '--require',
        type=percentage,
        metavar='PERCENT',
        help='Exit code 1 where fewer pixels agree.',
    )
    parser.add_argument('--limit', type=positive_integer, metavar='N', help='Stop after N frames.')
    add_settings(parser.add_argument_group('TensorRT engines'), EngineSettings)
    add_foreign_options(parser)
    parser.set_defaults(job='espnet_ros.cli.jobs.compare')
