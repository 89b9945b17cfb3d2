"""A mask, and all that must be known of its own image before it can become metres."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from espnet_ros.config import FreeSpaceSettings
from espnet_ros.nodes.free_space.poses import PoseSource
from espnet_ros.nodes.free_space.synchronization.camera_input import CameraInput
from espnet_ros.nodes.free_space.synchronization.meaning import Meaning
from espnet_ros.nodes.free_space.synchronization.stamp_book import confidence_of, info_of
from espnet_ros.nodes.free_space.synchronization.stamp_queue import Waiting
from espnet_ros.nodes.ros.messages.images import mask_values
from espnet_ros.planning.geometry.camera import Calibration, Camera, make_camera
from espnet_ros.planning.geometry.pose import CameraPose
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image


@dataclass(frozen=True, eq=False)
class StampedMask:
    """
    A mask as it came.

    :param has_age: whether its stamp tells how old it is
    """

    message: Image
    has_age: bool


@dataclass(frozen=True, eq=False)
class MaskParts:
    """
    What belongs to a mask.

    :param labels: uint8, (H, W), class ids
    :param camera: of its size
    :param confidence: uint8, (H, W), or None
    """

    meaning: Meaning
    labels: NDArray[np.uint8]
    camera: Camera
    confidence: NDArray[np.uint8] | None
    pose: CameraPose


class PartFinder:
    """Brings together what belongs to the masks of one camera."""

    def __init__(
        self,
        source: CameraInput,
        poses: PoseSource,
        settings: Callable[[], FreeSpaceSettings],
    ) -> None:
        self._source = source
        self._poses = poses
        self._settings = settings
        self._camera: tuple[Any, Camera] | None = None

    def find(self, entry: Waiting[StampedMask]) -> MaskParts:
        """
        Return what belongs to a mask.

        :param entry: its ``kind`` tells afterwards what was looked for last
        :raises PendingError: something is not there yet
        :raises InputError: something makes no sense
        """
        mask, source = entry.item.message, self._source
        entry.kind = 'labels'
        meaning = source.meaning.at(entry.stamp_ns)
        entry.kind = 'mask'
        labels = mask_values(mask)
        entry.kind = 'calibration'
        camera = self._camera_of(mask)
        entry.kind = 'confidence'
        confidence = None
        if self._settings().use_confidence:
            found = confidence_of(mask, source.confidences, source.topic('confidence'))
            confidence = mask_values(found)
        entry.kind = 'pose'
        header = mask.header
        pose = self._poses.camera_pose(source.name, header.frame_id, header.stamp)
        entry.kind = 'labels'
        meaning.check_ids(labels)
        return MaskParts(meaning, labels, camera, confidence, pose)

    def _camera_of(self, mask: Image) -> Camera:
        info = info_of(mask, self._source.infos, self._source.topic('camera_info'))
        size = (int(mask.height), int(mask.width))
        key = (Calibration.from_message(info), size, self._settings().image_rectified)
        if self._camera is None or self._camera[0] != key:
            self._camera = key, make_camera(key[0], rectified=key[2]).resized(size)
        return self._camera[1]
