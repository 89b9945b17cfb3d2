"""The overlay video of a video source."""

from __future__ import annotations

from espnet_ros.cli.output import OutputFolder
from espnet_ros.processing.video_writer import VideoWriter
import numpy as np
from numpy.typing import NDArray

_USUAL_RATE_HZ = 25.0


class VideoOutput:
    """
    The file ``STEM_overlay.mp4``; opened with the first frame, named when it is whole.

    :param stem: its stem; None where there is no video to write
    :param rate_hz: frames per second, or None where the source does not know
    """

    def __init__(self, folder: OutputFolder, stem: str | None, rate_hz: float | None) -> None:
        self._folder = folder
        self.name = f'{stem}_overlay.mp4'
        self._rate_hz = rate_hz or _USUAL_RATE_HZ
        self._writer: VideoWriter | None = None

    def write(self, image_bgr: NDArray[np.uint8]) -> None:
        """
        Append a frame.

        :raises OutputError: the video cannot be written
        """
        if self._writer is None:
            height, width = image_bgr.shape[:2]
            part = self._folder.part_of(self.name)
            self._writer = VideoWriter(part, self._rate_hz, (height, width))
        self._writer.write(image_bgr)

    def close(self) -> None:
        """
        Finish the video and give it its name.

        :raises OutputError: frames are missing in it
        """
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        try:
            writer.close()
            self._folder.keep(self.name)
        finally:
            writer.path.unlink(missing_ok=True)
