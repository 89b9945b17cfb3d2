"""The verb ``evaluate``: how good a model is on labelled images."""

from __future__ import annotations

import argparse
from pathlib import Path

from espnet_ros.cli._options import (
    add_model_options,
    add_runtime_options,
    percentage,
    positive_integer,
)

EPILOG = """
examples:
  espnet-ros evaluate --data camvid --split val --model espnet_p2_q8_camvid
  espnet-ros evaluate --data synthetic --input-size 544,960 --pictures worst --json street.json
  espnet-ros evaluate --data my_streets --model street.onnx --runtime openvino --precision bf16

Void is counted in both ways that papers use: "void ignored" leaves out pixels whose truth is
void, "void as false positive" counts them against the class that was predicted there.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = '%(prog)s --data DIR [options]'
    parser.epilog = EPILOG
    add_data_options(parser, 'val')
    add_model_options(parser)
    add_runtime_options(parser)
    group = parser.add_argument_group('results')
    group.add_argument('--json', type=Path, metavar='FILE', help='Write the report as JSON.')
    group.add_argument(
        '--pictures',
        type=Path,
        metavar='DIR',
        help='Write a picture of the confusion matrix, and of the worst images.',
    )
    group.add_argument(
        '--worst',
        type=positive_integer,
        default=5,
        metavar='N',
        help='How many of the worst images to draw. Default: 5.',
    )
    group.add_argument(
        '--require',
        type=percentage,
        metavar='PERCENT',
        help='Exit code 1 where the mean IoU with void ignored is lower.',
    )
    parser.set_defaults(job='espnet_ros.cli.jobs.evaluate')


def add_data_options(parser: argparse.ArgumentParser, split: str | None = None) -> None:
    """Declare what names a labelled data set, with ``--split`` where it has a default."""
    group = parser.add_argument_group('data')
    group.add_argument(
        '--data',
        required=True,
        metavar='DIR',
        help='Folder of the data set, or synthetic for the synthetic street.',
    )
    if split is not None:
        group.add_argument('--split', default=split, help=f'Which part of it. Default: {split}.')
    group.add_argument(
        '--format',
        default='auto',
        metavar='{auto,camvid,cityscapes,pascal_voc,mapillary,folder}',
        help='How it lies in the folder: camvid is SPLIT/ and SPLITannot/, folder is images/, '
        'labels/ and labels.yaml. Default: by what lies there.',
    )
    group.add_argument(
        '--label-set',
        metavar='NAME|FILE',
        help='Classes of the formats camvid and folder: a name such as camvid, or a YAML file.',
    )
