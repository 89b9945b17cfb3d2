"""The verb ``segment``: images, folders, videos, bags and webcams to masks and overlays."""

from __future__ import annotations

import argparse
from pathlib import Path

from espnet_ros.cli._options import (
    add_mask_options,
    add_model_options,
    add_runtime_options,
    add_settings,
    positive_integer,
)
from espnet_ros.config import BirdseyeSettings, ImageSettings

EPILOG = """
output files:
  an image or a folder of images
    STEM_mask.png                    class id of every pixel, 255 unlabelled
    STEM_overlay.png                 class colours over the image
    STEM_confidence.png              with --confidence: 0 to 255 of every pixel
  a video or a webcam
    STEM_overlay.mp4                 class colours over the video
    STEM_frames/000123_mask.png      with --masks; _confidence.png with --confidence
  a bag that ROS 2 recorded
    STEM_overlay.mp4                 class colours over the images, at the rate of their stamps
    STEM_frames/SECONDS_mask.png     called after the stamp; _confidence.png with --confidence
  summary.json                       share of every class, overall and of every image, model,
                                     runtime, precision, sizes and speed

examples:
  espnet-ros segment street.jpg
  espnet-ros segment drive.mp4 --output drive --legend
  espnet-ros segment drive.mp4 --birdseye --camera-height-m 1.4
  espnet-ros segment drive_bag:/front/image_raw --output drive
  espnet-ros segment photos --model espnet_p2_q8_camvid --runtime openvino --no-overlay
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = '%(prog)s SOURCE [--output DIR] [options]'
    parser.epilog = EPILOG
    parser.add_argument(
        'source',
        metavar='SOURCE',
        help='An image, a folder of images, a video, a bag (BAG:TOPIC where several topics hold '
        'images), the index of a webcam, or synthetic (a rendered street).',
    )
    output = parser.add_argument_group('output')
    output.add_argument(
        '--output',
        type=Path,
        default=Path('segmented'),
        metavar='DIR',
        help='Folder for the results; made where missing. Default: ./segmented.',
    )
    output.add_argument(
        '--overlay',
        action=argparse.BooleanOptionalAction,
        default=True,
        help='Write overlays. Default: yes.',
    )
    output.add_argument(
        '--masks',
        action=argparse.BooleanOptionalAction,
        default=None,
        help='Write masks. Default: yes for images and bags, no for videos.',
    )
    output.add_argument('--confidence', action='store_true', help='Write the confidence too.')
    output.add_argument(
        '--birdseye',
        action='store_true',
        help='Draw the ground from above beside the overlay, with a way over it.',
    )
    output.add_argument(
        '--limit',
        type=positive_integer,
        metavar='N',
        help='Stop after N frames. Default: the whole source.',
    )
    add_model_options(parser).add_argument(
        '--exact',
        action='store_true',
        help="Pre-process as the authors' code does, in floating point (slower); precision is "
        'fp32 unless given.',
    )
    add_runtime_options(parser)
    add_settings(parser.add_argument_group('images of a bag'), ImageSettings)
    add_mask_options(parser)
    add_settings(parser.add_argument_group('the camera of --birdseye'), BirdseyeSettings)
    parser.set_defaults(job='espnet_ros.cli.jobs.segment')
