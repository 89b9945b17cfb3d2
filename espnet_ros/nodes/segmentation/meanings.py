"""What the readers of all cameras' masks are told of the ids, before the masks that have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from espnet_ros.config import MaskSettings
from espnet_ros.labels import LabelSet
from espnet_ros.nodes.segmentation.camera.camera import Camera
from espnet_ros.nodes.segmentation.camera.label_announcer import (
    MaskMeaning,
    wait_until_acknowledged,
)
from espnet_ros.segmentation import PreparedBatch
from rclpy.node import Node
from std_msgs.msg import Header

ACKNOWLEDGE_LIMIT_S = 0.5


class Meanings:
    """
    Tells every camera's readers what the ids mean, and again when that changes.

    :param model: name of the model whose ids these are
    """

    def __init__(self, node: Node, model: str, cameras: Mapping[str, Camera]) -> None:
        self._node = node
        self._model = model
        self._cameras = cameras
        self._told: tuple[MaskMeaning, float] | None = None

    def begin(self, label_set: LabelSet, settings: MaskSettings) -> None:
        """Tell what the ids will mean, while there is no image yet."""
        meaning = MaskMeaning(label_set, self._model, settings.unlabelled_id)
        for camera in self._cameras.values():
            camera.outputs.labels.begin(meaning)
        self._publish_info(meaning, settings)

    def announce(self, batch: PreparedBatch, frames: Sequence[tuple[Camera, Header]]) -> None:
        """
        Tell what the ids of the next masks mean; nobody reads these as those before.

        :param frames: of the batch: their cameras and the headers of their images
        """
        meaning = MaskMeaning(batch.label_set, self._model, batch.settings.unlabelled_id)
        self._publish_info(meaning, batch.settings)
        news = [
            camera.outputs.labels
            for camera, header in frames
            if camera.outputs.labels.announce(meaning, header)
        ]
        if not wait_until_acknowledged(news, ACKNOWLEDGE_LIMIT_S):
            self._node.get_logger().warning(
                f'the ids of the masks changed, and a reader of label_set did not acknowledge it '
                f'within {ACKNOWLEDGE_LIMIT_S:g} s; it may misread the next masks'
            )

    def _publish_info(self, meaning: MaskMeaning, settings: MaskSettings) -> None:
        """Publish the names of the classes again where they, or the threshold, have changed."""
        told = (meaning, settings.confidence_threshold)
        if told == self._told:
            return
        self._told = told
        for camera in self._cameras.values():
            camera.outputs.labels.publish_info(meaning.label_set, settings.confidence_threshold)
