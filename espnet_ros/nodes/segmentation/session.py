"""What the node holds while it is configured: model, cameras, worker and power monitor."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
import time

from espnet_ros.config import SegmentationNodeSettings
from espnet_ros.exceptions import ConfigError
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.store import open_model
from espnet_ros.monitoring.frame_slot import FrameSlots
from espnet_ros.monitoring.load_shedder import effective_rate_hz
from espnet_ros.nodes.ros.process.executor import call_in_spin_thread
from espnet_ros.nodes.segmentation.camera.camera import Camera, Frame
from espnet_ros.nodes.segmentation.health.power_monitor import PowerMonitor
from espnet_ros.nodes.segmentation.pictures import PictureWorker
from espnet_ros.nodes.segmentation.pipeline import FramePipeline
from espnet_ros.nodes.segmentation.worker import SegmentationWorker
from espnet_ros.runtimes.build_watch import BuildWatch
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmenter import Segmenter
from rclpy.node import Node

IN_FLIGHT_LIMIT_S = 30.0


class Session:
    """
    A model that is loaded, and the topics of its cameras.

    :param watch: who is told while an engine is built
    :raises EspnetError: the model or runtime cannot be had, or the settings do not fit it;
        nothing is left open then
    """

    def __init__(
        self,
        node: Node,
        settings: Callable[[], SegmentationNodeSettings],
        watch: BuildWatch | None = None,
    ) -> None:
        self._node = node
        self._watch = watch
        self._is_closed = False
        self._settings = settings
        self._slots: FrameSlots[Frame] | None = None
        self._worker: SegmentationWorker | None = None
        self.cameras: dict[str, Camera] = {}
        start = settings()
        model = open_model(start.model, start.foreign)
        self.power = call_in_spin_thread(
            node, lambda: PowerMonitor(node, lambda: settings().power, self.settings_changed)
        )
        try:
            self._open(model, start)
        except Exception:
            call_in_spin_thread(node, self._destroy_topics)
            raise
        self.pipeline = FramePipeline(node, self.segmenter, self.cameras, settings, self.power)
        self.pipeline.begin()

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
        self.pipeline.pictures = PictureWorker(
            self._node, tuple(self.cameras), lambda: self._settings().overlay
        )
        self.pipeline.pictures.start()
        self._worker.start()
        try:
            call_in_spin_thread(self._node, self._subscribe)
        except Exception:
            self.stop()
            raise

    def stop(self) -> None:
        """Unsubscribe, and finish the batches in flight."""
        call_in_spin_thread(self._node, self._unsubscribe)
        if self._worker is not None:
            self._worker.stop()
        if self.pipeline.pictures is not None:
            self.pipeline.pictures.stop()
        self._slots = self._worker = self.pipeline.pictures = None

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

    def rebuild_engine(self, watch: BuildWatch) -> str:
        """
        Rebuild the TensorRT engine and let it take over between two batches.

        :return: what was done, in words
        :raises EspnetError: there is no engine, or it cannot be built; the old one goes on
        """
        old = self.segmenter.runtime
        if not old.has_engine:
            raise ConfigError(f'the runtime is {old.name}, which has no engine')
        start = self._settings()
        settings = replace(
            start.runtime_settings,
            runtime=old.name,
            engine=replace(start.runtime_settings.engine, force_rebuild=True),
        )
        _, height, width, _ = old.input_spec.shape
        fresh = open_runtime(
            old.model,
            settings,
            batch_size=len(start.cameras),
            image_size=(height, width) if height and width else None,
            watch=watch,
        )
        worker = self._worker
        with nullcontext() if worker is None else worker.between_batches():
            if self._is_closed:
                fresh.close()
                raise ConfigError('the node was taken down meanwhile; the new engine is kept')
            self.segmenter.replace_runtime(fresh)
        return f'the new engine runs: {fresh.precision} on {fresh.device}'

    def close(self) -> None:
        self._is_closed = True
        self.stop()
        call_in_spin_thread(self._node, self._destroy_topics)
        self.segmenter.close()

    def _open(self, model: ModelFile, start: SegmentationNodeSettings) -> None:
        runtime = open_runtime(
            model, start.runtime_settings, batch_size=len(start.cameras), watch=self._watch
        )
        try:
            if start.build_only and runtime.waits_for_image:
                raise ConfigError(
                    'build_only: an engine that resizes is built for the size of the first image, '
                    'and none comes; build it with espnet-ros build --resize device --image-size '
                    'HEIGHT,WIDTH, or set resize to auto'
                )
            self.segmenter = Segmenter(runtime, start.mask, overlaps=True)
            self.segmenter.warm_up(len(start.cameras))
            call_in_spin_thread(
                self._node, lambda: self._create_cameras(start, runtime.has_confidence)
            )
        except Exception:
            runtime.close()
            raise

    def _create_cameras(self, start: SegmentationNodeSettings, has_confidence: bool) -> None:
        for name in start.cameras:
            self.cameras[name] = Camera(
                self._node, name, start.image_transport, has_confidence=has_confidence
            )

    def _subscribe(self) -> None:
        if self._slots is not None:
            for camera in self.cameras.values():
                camera.subscribe(self._slots)

    def _unsubscribe(self) -> None:
        for camera in self.cameras.values():
            camera.unsubscribe()

    def _destroy_topics(self) -> None:
        for camera in self.cameras.values():
            camera.destroy()
        self.cameras.clear()
        self.power.close()
