"""What becomes of one segmented frame: its mask, overlay and confidence, and what it counts."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.cli.output import OutputFolder
from espnet_ros.cli.segment.birdseye import BirdseyeDrawer
from espnet_ros.cli.segment.options import OutputOptions
from espnet_ros.cli.segment.pseudo_labels import LabelWriter
from espnet_ros.config import OverlaySettings
from espnet_ros.config.images import LEAST_CONTRAST
from espnet_ros.labels import LabelSet, UNLABELLED_ID
from espnet_ros.processing.codecs import encode_png
from espnet_ros.processing.contrast import is_black, shows_nothing
from espnet_ros.processing.overlay import blend_overlay, draw_legend
from espnet_ros.segmenter import Segmentation
from espnet_ros.sources import Frame
import numpy as np
from numpy.typing import NDArray

_LEGEND_SHARE = 0.001


@dataclass(frozen=True)
class FrameRecord:
    """
    What is kept of a frame whose files are written.

    :param size: (height, width) of the image
    :param mask_size: (height, width) of the mask
    :param counts: (id, pixels) of every id that occurs
    :param files: paths below the output folder by kind
    :param times_s: seconds of prepare, inference and finish
    :param stamp_ns: as :attr:`Frame.stamp_ns`
    :param frame_id: as :attr:`Frame.frame_id`
    :param is_blank: whether the image shows nothing, so that the mask means nothing
    :param time_s: as :attr:`Frame.time_s`
    """

    name: str
    size: tuple[int, int]
    mask_size: tuple[int, int]
    counts: tuple[tuple[int, int], ...]
    files: dict[str, str]
    times_s: tuple[float, float, float]
    stamp_ns: int | None
    frame_id: str | None
    is_blank: bool = False
    time_s: float | None = None


class ResultWriter:
    """
    Writes the files of frames; may be called from several threads.

    :param video_stem: stem of the video that the frames belong to, or None where they are
        images of their own
    :param unlabelled_id: of pixels without a class
    :param birdseye: what draws the ground from above beside overlays, or None
    :param dataset: what writes frames as images and labels to train on, or None
    """

    def __init__(
        self,
        folder: OutputFolder,
        wanted: OutputOptions,
        style: OverlaySettings,
        label_set: LabelSet,
        video_stem: str | None,
        *,
        unlabelled_id: int = UNLABELLED_ID,
        birdseye: BirdseyeDrawer | None = None,
        dataset: LabelWriter | None = None,
    ) -> None:
        self._folder = folder
        self._wanted = wanted
        self._style = style
        self._label_set = label_set
        self._unlabelled_id = unlabelled_id
        self._palette_bgr = np.ascontiguousarray(label_set.palette_rgb()[:, ::-1])
        self._video_stem = video_stem
        self._birdseye = birdseye
        self._dataset = dataset

    @property
    def kinds(self) -> list[str]:
        """Return which files an image of its own gets."""
        wanted = self._wanted
        flags = {'mask': wanted.masks, 'confidence': wanted.confidence is not None}
        flags['overlay'] = wanted.overlay
        return [kind for kind, is_wanted in flags.items() if is_wanted]

    def write(
        self, frame: Frame, result: Segmentation
    ) -> tuple[FrameRecord, NDArray[np.uint8] | None]:
        """
        Write the files of a frame.

        :return: what is kept of it, and its overlay where that goes into a video
        :raises OutputError: a file cannot be written
        :raises ModelError: the mask has an id without a name
        """
        counts = np.bincount(result.labels.ravel(), minlength=256)
        self._label_set.check_counts(counts, self._unlabelled_id)
        is_video = self._video_stem is not None
        overlay_bgr = self._draw(frame, result, counts) if self._wanted.overlay else None
        if self._dataset is not None:
            files = self._write_labels(self._dataset, frame, result.labels)
        else:
            files = self._write_images(frame, result, None if is_video else overlay_bgr)
        times = result.stage_times
        record = FrameRecord(
            name=frame.name,
            size=_size(frame.image_bgr),
            mask_size=_size(result.labels),
            counts=tuple((int(i), int(counts[i])) for i in np.flatnonzero(counts)),
            files=files,
            times_s=(times.prepare_s, times.inference_s, times.finish_s),
            stamp_ns=frame.stamp_ns,
            frame_id=frame.frame_id,
            time_s=frame.time_s,
            is_blank=shows_nothing(frame.image_bgr, LEAST_CONTRAST) or is_black(frame.image_bgr),
        )
        return record, overlay_bgr if is_video else None

    def _write_labels(
        self, dataset: LabelWriter, frame: Frame, labels: NDArray[np.uint8]
    ) -> dict[str, str]:
        is_video = self._video_stem is not None
        stem = f'{self._video_stem}_{_number(frame)}' if is_video else frame.name
        return dataset.write(stem, frame.image_bgr, labels, is_lossy=is_video)

    def _write_images(
        self, frame: Frame, result: Segmentation, overlay_bgr: NDArray[np.uint8] | None
    ) -> dict[str, str]:
        stem = frame.name
        if self._video_stem is not None:
            stem = f'{self._video_stem}_frames/{_number(frame)}'
        images = {
            'mask': result.labels if self._wanted.masks else None,
            'confidence': result.confidence if self._wanted.confidence is not None else None,
            'overlay': overlay_bgr,
        }
        files = {}
        for kind, image in images.items():
            if image is not None:
                files[kind] = f'{stem}_{kind}.png'
                self._folder.write(files[kind], encode_png(image))
        return files

    def _draw(
        self, frame: Frame, result: Segmentation, counts: NDArray[np.int64]
    ) -> NDArray[np.uint8]:
        overlay_bgr = blend_overlay(
            frame.image_bgr, result.labels, self._palette_bgr, self._style.alpha
        )
        if self._style.legend:
            least = _LEGEND_SHARE * result.labels.size
            entries = [
                (name, tuple(int(v) for v in self._palette_bgr[class_id]))
                for class_id, name in enumerate(self._label_set.names)
                if counts[class_id] > least
            ]
            draw_legend(overlay_bgr, entries)
        if self._birdseye is not None:
            overlay_bgr = self._birdseye.attach(overlay_bgr, frame.image_bgr, result.labels)
        return overlay_bgr


def _number(frame: Frame) -> str:
    """Return what a frame of a video is called: its index, or its stamp where it has one."""
    return f'{frame.index:06d}' if frame.stamp_ns is None else frame.name


def _size(image: NDArray[np.uint8]) -> tuple[int, int]:
    return image.shape[0], image.shape[1]
