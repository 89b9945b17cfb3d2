"""What ``view`` takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from espnet_ros.cli.options import (
    argument,
    ModelOptions,
    option,
    runtime_settings,
    section,
    settings,
)
from espnet_ros.cli.values import positive_number
from espnet_ros.config import ImageSettings, MaskSettings, RuntimeSettings, WEB_PORT

EPILOG = f"""
examples:
  espnet-ros view drive.mp4
  espnet-ros view synthetic --port {WEB_PORT}
  espnet-ros view drive.mp4 --record out.mcap
  espnet-ros view --ros

The page is at http://127.0.0.1:{WEB_PORT}/ and on this machine alone. From another one:
  ssh -L {WEB_PORT}:127.0.0.1:{WEB_PORT} robot
"""


@dataclass(frozen=True, kw_only=True)
class PageOptions:
    GROUP = 'page'

    port: int = option(WEB_PORT, 'Port of the page; 0 takes one that is free.', 'PORT', type=int)
    host: str = option(
        '127.0.0.1',
        'Address to listen on. Any other than 127.0.0.1 can be reached from outside, with the '
        'token that is printed.',
        'ADDRESS',
    )


@dataclass(frozen=True, kw_only=True)
class Options:
    USAGE = '%(prog)s (SOURCE | --ros) [options]'
    EPILOG = EPILOG

    source: str | None = argument(
        'A video, a folder of images, a bag (BAG:TOPIC), the index of a webcam, or synthetic (a '
        'rendered street).',
        'SOURCE',
        nargs='?',
    )
    ros: bool = option(
        False, 'Show what the nodes of this ROS domain publish, and segment nothing here.'
    )
    rate: float | None = option(
        None, "Images per second. Default: the source's own, else 1.", 'HZ', type=positive_number
    )
    once: bool = option(False, 'Play a file once and end, instead of again and again.')
    record: Path | None = option(
        None, 'Write what is seen into an MCAP file, as ROS messages; plays a file once.', 'FILE'
    )
    page: PageOptions = section(PageOptions)
    model: ModelOptions = section(ModelOptions)
    runtime: RuntimeSettings = runtime_settings()
    images: ImageSettings = settings(ImageSettings, 'images of 16 bits')
    mask: MaskSettings = settings(MaskSettings, 'masks')
