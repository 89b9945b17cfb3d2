"""Opening what writes ROS messages, which needs a library that may be missing."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from espnet_ros.config import OverlaySettings
from espnet_ros.segmenter import Segmenter

if TYPE_CHECKING:
    from espnet_ros.recording.frame_recorder import FrameRecorder


def open_recorder(
    path: Path,
    segmenter: Segmenter,
    stack: ExitStack,
    style: OverlaySettings | None = None,
    *,
    replaces: bool = False,
) -> FrameRecorder:
    """
    Return what writes frames into an MCAP file.

    :param stack: closes the file, which gets its name then
    :param replaces: whether a file that is there is replaced
    :raises ModuleNotFoundError: rosbags is not installed
    :raises OutputError: the file cannot be written
    """
    from espnet_ros.recording.bag_file import BagFile  # noqa: PLC0415  (rosbags may be missing)
    from espnet_ros.recording.frame_recorder import FrameRecorder  # noqa: PLC0415

    bag = stack.enter_context(BagFile(path, replaces=replaces))
    return FrameRecorder(bag, segmenter, style)
