"""What the node holds while it is configured: model, cameras, worker and power monitor."""

from __future__ import annotations

from collections.abc import Callable
import time

from espnet_ros.config import SegmentationNodeSettings
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.opening import open_model
from espnet_ros.nodes.camera import Camera, Frame
from espnet_ros.nodes.frame_slot import FrameSlots
from espnet_ros.nodes.load_shedder import effective_rate_hz
from espnet_ros.nodes.pipeline import FramePipeline
from espnet_ros.nodes.power_monitor import PowerMonitor
from espnet_ros.nodes.worker import SegmentationWorker
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmenter import Segmenter
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node

IN_FLIGHT_LIMIT_S = 30.0


class Session:
    """
    A model that is loaded, and the topics of its cameras.

    :param node: what the topics belong to
    :param settings: returns the settings of this moment
    :param group: callback group of the images
    :raises EspnetError: the model or runtime cannot be had, or the settings do not fit it;
        nothing is left open then
    """

    def __init__(
        self, node: Node, settings: Callable[[], SegmentationNodeSettings], group: CallbackGroup
    ) -> None:
        self._node = node
        self._settings = settings
        self._slots: FrameSlots[Frame] | None = None
        self._worker: SegmentationWorker | None = None
        self.cameras: dict[str, Camera] = {}
        start = settings()
        model = open_model(start.model, start.foreign)
        self.power = PowerMonitor(node, lambda: settings().power, self.settings_changed)
        try:
            self._open(model, start, group)
        except Exception:
            self._destroy_cameras()
            self.power.close()
            raise
        self.pipeline = FramePipeline(node, self.segmenter, self.cameras, settings, self.power)
        self.pipeline.publish_label_info()

    @property
    def max_rate_hz(self) -> float:
        """Return the highest rate of inference of this moment, 0 for none."""
        return effective_rate_hz(self._settings().max_rate_hz, self.power.limit_hz)

    def start(self, enabled: bool) -> None:
        """Subscribe the cameras and segment; where that fails, nothing has started."""
        self._slots = FrameSlots(tuple(self.cameras))
        self._worker = SegmentationWorker(
            self._node, self._slots, self.pipeline, lambda: self.max_rate_hz
        )
        self.set_enabled(enabled)
        self._worker.start()
        try:
            for camera in self.cameras.values():
                camera.subscribe(self._slots)
        except Exception:
            self.stop()
            raise

    def stop(self) -> None:
        """Unsubscribe, and finish the batch in flight."""
        for camera in self.cameras.values():
            camera.unsubscribe()
        if self._worker is not None:
            self._worker.stop()
        self._slots = self._worker = None

    def set_enabled(self, enabled: bool) -> bool:
        """
        Let the worker work or rest.

        :return: whether nothing is in flight any more, or work was allowed
        """
        for camera in self.cameras.values():
            if enabled and not camera.is_enabled:
                camera.record.restart(time.monotonic())
            camera.is_enabled = enabled
        return self._worker is None or self._worker.set_enabled(enabled, IN_FLIGHT_LIMIT_S)

    def settings_changed(self) -> None:
        """Let the worker see a new rate limit even while it waits for the old one."""
        if self._slots is not None:
            self._slots.wake()

    def close(self) -> None:
        """Stop, take the topics away and free the model."""
        self.stop()
        self._destroy_cameras()
        self.power.close()
        self.segmenter.close()

    def _open(
        self, model: ModelFile, start: SegmentationNodeSettings, group: CallbackGroup
    ) -> None:
        runtime = open_runtime(model, start.runtime_settings)
        try:
            self.segmenter = Segmenter(runtime, start.mask)
            self.segmenter.warm_up(len(start.cameras))
            for name in start.cameras:
                self.cameras[name] = Camera(self._node, name, start.image_transport, group)
        except Exception:
            runtime.close()
            raise

    def _destroy_cameras(self) -> None:
        for camera in self.cameras.values():
            camera.destroy()
        self.cameras.clear()
