"""Frames and what was seen in them, as the messages that the segmentation node publishes."""

from __future__ import annotations

import math
import time
from typing import Any

from espnet_ros.config import OverlaySettings
from espnet_ros.labels import LabelClass, LabelSet
from espnet_ros.processing.codecs import encode_jpeg
from espnet_ros.processing.overlay import blend_overlay, reduce_image
from espnet_ros.processing.postprocess import class_shares
from espnet_ros.recording.bag_file import BagFile
from espnet_ros.segmentation import Segmentation
from espnet_ros.segmenter import Segmenter
from espnet_ros.sources.base import Frame, FrameCalibration
import numpy as np

BASE = '/segmentation'
FRAME_ID = 'camera'
_NO_ID = -1
_UNKNOWN_COST = -1
_UNKNOWN = math.nan


class FrameRecorder:
    """Writes overlay, mask, calibration, label set and statistics of frames into a bag."""

    def __init__(
        self, bag: BagFile, segmenter: Segmenter, style: OverlaySettings | None = None
    ) -> None:
        self._bag = bag
        self._segmenter = segmenter
        self._style = style or OverlaySettings()
        self._label_set: LabelSet | None = None
        self._began_ns = time.time_ns()
        self._newest_ns = 0

    def take(self, frame: Frame, result: Segmentation, rate_hz: float | None) -> None:
        """
        Write what is known of a frame.

        :param rate_hz: frames per second of its source, which give it a stamp where it has none
        :raises OutputError: it cannot be written
        """
        time_ns = self._time_of(frame, rate_hz)
        header = self._bag.header(time_ns, frame.frame_id or FRAME_ID)
        if result.label_set != self._label_set:
            self._label_set = result.label_set
            self._put('label_set', self._labels(result.label_set, header), time_ns)
        height, width = result.labels.shape
        mask = self._bag.make(
            'sensor_msgs/msg/Image',
            header=header,
            height=height,
            width=width,
            encoding='mono8',
            is_bigendian=0,
            step=width,
            data=np.ascontiguousarray(result.labels).reshape(-1),
        )
        self._put('mask', mask, time_ns)
        self._put('overlay/compressed', self._overlay(frame, result, header), time_ns)
        # The geometry of the image is that of a mask of its size alone.
        if frame.calibration is not None and result.labels.shape == frame.image_bgr.shape[:2]:
            self._put('camera_info', self._camera_info(frame.calibration, header), time_ns)
        self._put('stats', self._stats(result, header), time_ns)

    def _time_of(self, frame: Frame, rate_hz: float | None) -> int:
        """Return the stamp of a frame: its own, by its time in the video, or by the rate."""
        time_ns = frame.stamp_ns
        if time_ns is None:
            next_ns = max(self._newest_ns + round(1e9 / (rate_hz or 1.0)), self._began_ns)
            shown_ns = self._began_ns + round((frame.time_s or 0.0) * 1e9)
            is_later = frame.time_s is not None and shown_ns > self._newest_ns
            time_ns = shown_ns if is_later else next_ns
        self._newest_ns = time_ns
        return time_ns

    def _put(self, name: str, message: Any, time_ns: int) -> None:
        self._bag.write(f'{BASE}/{name}', message, time_ns)

    def _overlay(self, frame: Frame, result: Segmentation, header: Any) -> Any:
        image_bgr = reduce_image(frame.image_bgr, self._style.max_width)
        palette_bgr = result.label_set.palette_rgb()[:, ::-1]
        overlay_bgr = blend_overlay(image_bgr, result.labels, palette_bgr, self._style.alpha)
        data = np.frombuffer(encode_jpeg(overlay_bgr), np.uint8)
        return self._bag.make(
            'sensor_msgs/msg/CompressedImage', header=header, format='jpeg', data=data
        )

    def _camera_info(self, calibration: FrameCalibration, header: Any) -> Any:
        numbers = calibration.calibration
        height, width = numbers.size
        left, top, roi_width, roi_height = numbers.roi
        region = self._bag.make(
            'sensor_msgs/msg/RegionOfInterest',
            x_offset=left,
            y_offset=top,
            height=roi_height,
            width=roi_width,
            do_rectify=calibration.do_rectify,
        )
        return self._bag.make(
            'sensor_msgs/msg/CameraInfo',
            header=header,
            height=height,
            width=width,
            distortion_model=numbers.model,
            d=np.array(numbers.d, np.float64),
            k=np.array(numbers.k, np.float64),
            r=np.array(numbers.r, np.float64),
            p=np.array(numbers.p, np.float64),
            binning_x=numbers.binning[0],
            binning_y=numbers.binning[1],
            roi=region,
        )

    def _labels(self, label_set: LabelSet, header: Any) -> Any:
        return self._bag.make(
            'espnet_ros/msg/LabelSet',
            header=header,
            name=label_set.name,
            model=self._segmenter.runtime.model.info.name,
            classes=[self._class(i, entry) for i, entry in enumerate(label_set.classes)],
            void_id=_NO_ID if label_set.void_id is None else label_set.void_id,
            unlabelled_id=self._segmenter.settings.unlabelled_id,
        )

    def _class(self, class_id: int, entry: LabelClass) -> Any:
        red, green, blue = (value / 255 for value in entry.color_rgb)
        color = self._bag.make('std_msgs/msg/ColorRGBA', r=red, g=green, b=blue, a=1.0)
        return self._bag.make(
            'espnet_ros/msg/LabelClass',
            id=class_id,
            name=entry.name,
            color=color,
            cost=_UNKNOWN_COST if entry.cost is None else entry.cost,
            is_flat=entry.is_flat,
        )

    def _stats(self, result: Segmentation, header: Any) -> Any:
        runtime, times = self._segmenter.runtime, result.stage_times
        ids, shares = class_shares(result.labels)
        unknown = dict.fromkeys(
            ('convert_s', 'publish_s', 'latency_s', 'age_s', 'input_rate_hz', 'output_rate_hz',
             'power_w', 'energy_j'), _UNKNOWN,
        )  # fmt: skip
        counts = dict.fromkeys(
            ('frames_received', 'frames_dropped', 'frames_failed', 'frames_published'), 0
        )
        return self._bag.make(
            'espnet_ros/msg/InferenceStats',
            header=header,
            camera='',
            runtime=runtime.name,
            precision=runtime.precision,
            batch_size=1,
            prepare_s=times.prepare_s,
            inference_s=times.inference_s,
            finish_s=times.finish_s,
            class_ids=ids,
            class_fractions=shares,
            **unknown,
            **counts,
        )
