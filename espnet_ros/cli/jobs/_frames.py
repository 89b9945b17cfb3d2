"""What becomes of one segmented frame: its mask, overlay and confidence, and what it counts."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.cli.jobs._birdseye import BirdseyeDrawer
from espnet_ros.cli.jobs._output import OutputFolder
from espnet_ros.cli.jobs._shares import count_labels
from espnet_ros.config import OverlaySettings
from espnet_ros.labels import LabelSet
from espnet_ros.processing.codecs import encode_png
from espnet_ros.processing.overlay import blend_overlay, draw_legend
from espnet_ros.segmenter import Segmentation, StageTimes
from espnet_ros.sources import Frame
import numpy as np
from numpy.typing import NDArray

_LEGEND_SHARE = 0.001


@dataclass(frozen=True)
class Wanted:
    """
    Which files are wanted of a frame.

    :param masks: its mask
    :param overlay: its overlay
    :param confidence: its confidence
    """

    masks: bool
    overlay: bool
    confidence: bool


@dataclass(frozen=True)
class FrameRecord:
    """
    What is kept of a frame whose files are written.

    :param name: name of the frame in its source
    :param size: (height, width) of the image
    :param mask_size: (height, width) of the mask
    :param counts: (id, pixels) of every id that occurs
    :param files: paths below the output folder by kind
    :param stage_times: what segmenting it took
    :param stamp_ns: as :attr:`Frame.stamp_ns`
    :param frame_id: as :attr:`Frame.frame_id`
    """

    name: str
    size: tuple[int, int]
    mask_size: tuple[int, int]
    counts: tuple[tuple[int, int], ...]
    files: dict[str, str]
    stage_times: StageTimes
    stamp_ns: int | None
    frame_id: str | None


@dataclass(frozen=True, eq=False)
class FinishedFrame:
    """
    A frame whose files are written, and what goes on from here.

    :param record: what is kept
    :param counts: int64, (256,), pixels of each id
    :param overlay_bgr: uint8, (H, W, 3), where it goes into a video, else None
    """

    record: FrameRecord
    counts: NDArray[np.int64]
    overlay_bgr: NDArray[np.uint8] | None


class FrameFinisher:
    """
    Writes the files of frames; may be called from several threads.

    :param folder: where to
    :param wanted: which files
    :param overlay: how overlays look
    :param label_set: what the ids mean
    :param video_stem: stem of the video that the frames belong to, or None where they are
        images of their own
    :param birdseye: what draws the ground from above beside overlays, or None
    """

    def __init__(
        self,
        folder: OutputFolder,
        wanted: Wanted,
        overlay: OverlaySettings,
        label_set: LabelSet,
        video_stem: str | None,
        *,
        birdseye: BirdseyeDrawer | None = None,
    ) -> None:
        self._folder = folder
        self._wanted = wanted
        self._overlay = overlay
        self._classes = label_set.classes
        self._palette_bgr = np.ascontiguousarray(label_set.palette_rgb()[:, ::-1])
        self._video_stem = video_stem
        self._birdseye = birdseye

    def finish(self, frame: Frame, result: Segmentation) -> FinishedFrame:
        """
        Write the files of a frame.

        :raises OutputError: a file cannot be written
        """
        stem = frame.name
        if self._video_stem is not None:
            number = f'{frame.index:06d}' if frame.stamp_ns is None else frame.name
            stem = f'{self._video_stem}_frames/{number}'
        images: dict[str, NDArray[np.uint8]] = {}
        if self._wanted.masks:
            images['mask'] = result.labels
        if self._wanted.confidence and result.confidence is not None:
            images['confidence'] = result.confidence
        counts = count_labels(result.labels)
        overlay_bgr = self._draw(frame, result, counts) if self._wanted.overlay else None
        if overlay_bgr is not None and self._video_stem is None:
            images['overlay'] = overlay_bgr
        files = {}
        for kind, image in images.items():
            files[kind] = f'{stem}_{kind}.png'
            self._folder.write(files[kind], encode_png(image))
        record = FrameRecord(
            name=frame.name,
            size=_size(frame.image_bgr),
            mask_size=_size(result.labels),
            counts=tuple((int(i), int(counts[i])) for i in np.flatnonzero(counts)),
            files=files,
            stage_times=result.stage_times,
            stamp_ns=frame.stamp_ns,
            frame_id=frame.frame_id,
        )
        return FinishedFrame(record, counts, None if self._video_stem is None else overlay_bgr)

    def _draw(
        self, frame: Frame, result: Segmentation, counts: NDArray[np.int64]
    ) -> NDArray[np.uint8]:
        overlay_bgr = blend_overlay(
            frame.image_bgr, result.labels, self._palette_bgr, self._overlay.alpha
        )
        if self._overlay.legend:
            least = _LEGEND_SHARE * result.labels.size
            entries = [
                (entry.name, tuple(int(v) for v in self._palette_bgr[class_id]))
                for class_id, entry in enumerate(self._classes)
                if counts[class_id] > least
            ]
            draw_legend(overlay_bgr, entries)
        if self._birdseye is not None:
            overlay_bgr = self._birdseye.attach(overlay_bgr, frame.image_bgr, result.labels)
        return overlay_bgr


def _size(image: NDArray[np.uint8]) -> tuple[int, int]:
    return image.shape[0], image.shape[1]
