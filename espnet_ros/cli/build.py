"""The verb ``build``: a model file to a TensorRT engine of this machine."""

from __future__ import annotations

import argparse
from pathlib import Path

from espnet_ros.cli._options import add_model_options, add_settings, positive_integer, size
from espnet_ros.config import RuntimeSettings

DEFAULT_IMAGES = 32


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.usage = '%(prog)s [--model MODEL] [--precision int8 --calibration SOURCE] [options]'
    add_model_options(parser)
    group = parser.add_argument_group('engine')
    add_settings(group, RuntimeSettings, leave_out=('runtime', 'threads'))
    group.add_argument(
        '--batch-size',
        type=positive_integer,
        default=1,
        metavar='COUNT',
        help='Largest batch: as many as the robot has cameras. Default: 1.',
    )
    group.add_argument(
        '--image-size',
        type=size,
        metavar='HEIGHT,WIDTH',
        help="With --resize device, the size in pixels of the camera's images (or of roi).",
    )
    group = parser.add_argument_group('int8 (needs onnxruntime, on any computer)')
    group.add_argument(
        '--calibration',
        metavar='SOURCE',
        help='Images or a video of what the robot will see; the model is quantised with them '
        'first.',
    )
    group.add_argument(
        '--images',
        type=positive_integer,
        default=DEFAULT_IMAGES,
        metavar='COUNT',
        help=f'How many of them, evenly spread. Default: {DEFAULT_IMAGES}.',
    )
    group.add_argument(
        '--quantized',
        type=Path,
        metavar='FILE',
        help='Where to keep the quantised model (.onnx). Default: among the fetched models, as '
        'MODEL_int8.',
    )
    parser.set_defaults(job='espnet_ros.cli.jobs.build')
