"""What ``segment`` takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from espnet_ros.cli.fleet.options import EngineOptions
from espnet_ros.cli.options import (
    argument,
    ModelOptions,
    option,
    runtime_settings,
    section,
    settings,
)
from espnet_ros.cli.slide_options import SlideOptions
from espnet_ros.cli.values import share
from espnet_ros.config import (
    BirdseyeSettings,
    ImageSettings,
    MaskSettings,
    OverlaySettings,
    RuntimeSettings,
)

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
  a TIFF file with --tile
    STEM_mask.tif, STEM_overlay.tif  tiled, with a pyramid; STEM_thumbnail.png
  with --labels-for
    images/, labels/, labels.yaml    a data set: train --data DIR
  summary.json                       share of every class, overall and of every image, model,
                                     runtime, precision, sizes and speed
  results.jsonl                      a line for every finished frame: a second run skips what is
                                     there for the same source, model and settings

examples:
  espnet-ros segment street.jpg
  espnet-ros segment a.jpg b.jpg drive.mp4 --output all
  espnet-ros segment drive.mp4 --output drive --legend
  espnet-ros segment drive.mp4 --bag out.mcap
  espnet-ros segment drive.mp4 --birdseye --camera-height-m 1.4
  espnet-ros segment drive_bag:/front/image_raw --output drive
  espnet-ros segment drive.mp4 --labels-for camvid --confidence 0.6 --output more_streets
  espnet-ros segment photos --model espnet_p2_q8_camvid --runtime openvino --no-overlay
"""


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """Which files are wanted, and where."""

    GROUP = 'output'

    output: str = option(
        'segmented',
        'Folder for the results, created if missing, or an address in a store (s3://, gs://). '
        'Default: ./segmented.',
        'DIR',
    )
    overlay: bool = option(True, 'Write overlays.')
    masks: bool | None = option(
        None, 'Write masks. Default: yes for images and bags, no for videos.'
    )
    confidence: float | None = option(
        None,
        'Write the confidence too; with a number of 0 to 1, leave pixels whose confidence is '
        'below unlabelled instead, as --confidence-threshold.',
        'SHARE',
        nargs='?',
        const=0.0,
        type=share,
    )
    labels_for: str | None = option(
        None,
        'Write a data set for train instead of masks: images and labels in the classes of this '
        'one (its folder, or the name or file of a label set), 255 where the confidence is below '
        '0.6 or --confidence.',
        'DATASET',
    )
    birdseye: bool = option(
        False, 'Draw the ground from above beside the overlay, with a way over it.'
    )
    limit: int | None = option(
        None, 'Stop after N frames of each source. Default: every source whole.', 'N'
    )
    overwrite: bool = option(
        False,
        'Do everything anew, and replace files of the same names. Without it a second run does '
        'what the first one left, and no file is replaced that is not as an earlier run left it.',
    )


@dataclass(frozen=True, kw_only=True)
class BagOptions:
    """Whether ROS messages are wanted."""

    GROUP = 'output'

    bag: Path | None = option(
        None,
        'Write overlay, mask, camera_info, label set and statistics into an MCAP file too, as the '
        'ROS messages of the node; everything is done anew for it.',
        'FILE',
    )


@dataclass(frozen=True, kw_only=True)
class ExactModelOptions(ModelOptions):
    """Which model, and whether its images are prepared as its authors did."""

    exact: bool = option(
        False,
        "Pre-process as the authors' code does, in floating point (slower); precision is fp32 "
        'unless given.',
    )


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is segmented, by what, and which files are wanted."""

    USAGE = '%(prog)s SOURCE... [--output DIR] [options]'
    EPILOG = EPILOG

    sources: tuple[str, ...] = argument(
        'Images, folders of images, videos, bags (BAG:TOPIC if several topics have images), '
        'the index of a webcam, or synthetic (a rendered street); as many as you like, also as '
        "patterns ('drives/*.mp4'), lists (@files.txt, drives.jsonl) and addresses (s3://, gs://).",
        'SOURCE',
        nargs='+',
    )
    output: OutputOptions = section(OutputOptions)
    recording: BagOptions = section(BagOptions)
    slides: SlideOptions = section(SlideOptions)
    engine: EngineOptions = section(EngineOptions)
    model: ExactModelOptions = section(ExactModelOptions)
    runtime: RuntimeSettings = runtime_settings()
    images: ImageSettings = settings(ImageSettings, 'images of 16 bits')
    mask: MaskSettings = settings(MaskSettings, 'masks')
    style: OverlaySettings = settings(OverlaySettings, 'overlays')
    camera: BirdseyeSettings = settings(BirdseyeSettings, 'the camera of --birdseye')
