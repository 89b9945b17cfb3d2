"""The verb ``export``: a checkpoint or a foreign ONNX file to a model file."""

from __future__ import annotations

import argparse
from pathlib import Path

from espnet_ros.cli._options import add_foreign_options, size


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.usage = '%(prog)s SOURCE --output FILE [options]'
    parser.add_argument(
        'source',
        type=Path,
        metavar='SOURCE',
        help="A checkpoint of the authors' ESPNet code (.pth; needs torch), or an ONNX file from "
        'a float image to logits or labels.',
    )
    parser.add_argument(
        '--output',
        type=Path,
        required=True,
        metavar='FILE',
        help='The model file (.onnx).',
    )
    parser.add_argument('--name', help='Name of the model. Default: the name of the output file.')
    parser.add_argument(
        '--label-set',
        metavar='NAME|FILE',
        help='Classes and colours: cityscapes, camvid, or a YAML file. Default: by the number '
        'of classes.',
    )
    parser.add_argument(
        '--input-size',
        type=size,
        metavar='HEIGHT,WIDTH',
        help='Size that images are resized to. Default: that of the data set or the file.',
    )
    add_foreign_options(parser)
    parser.set_defaults(job='espnet_ros.cli.jobs.export')
