"""What people look at is drawn beside the masks, and never makes one late."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import threading
import traceback

from espnet_ros.config import OverlaySettings
from espnet_ros.monitoring.frame_slot import FrameSlots
from espnet_ros.nodes.segmentation.camera.outputs import CameraOutputs, SegmentedFrame
from rclpy.node import Node


class PictureWorker:
    """
    Draws and publishes overlays, colour masks and PNGs in a thread of its own.

    It draws the newest masks of every camera: where masks come faster than it draws, some have
    no picture. Like that of masks, its thread is no daemon, and is joined.

    :param settings: returns how to draw, at this moment
    """

    def __init__(
        self, node: Node, cameras: Sequence[str], settings: Callable[[], OverlaySettings]
    ) -> None:
        self._node = node
        self._settings = settings
        self._slots: FrameSlots[tuple[CameraOutputs, SegmentedFrame]] = FrameSlots(cameras)
        self._thread = threading.Thread(target=self._run, name='pictures')

    def start(self) -> None:
        self._thread.start()

    def offer(self, camera: str, outputs: CameraOutputs, frame: SegmentedFrame) -> None:
        """Have a mask drawn, if somebody looks."""
        if outputs.wants_pictures:
            self._slots.put(camera, (outputs, frame))

    def stop(self) -> None:
        """Finish the picture at hand and end."""
        self._slots.stop()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while (waiting := self._slots.take_all()) is not None:
            for outputs, frame in waiting.values():
                try:
                    outputs.publish_pictures(frame, self._settings())
                except Exception:  # noqa: BLE001  (the thread's outermost frame)
                    if self._node.context.ok():
                        self._node.get_logger().error(
                            f'a picture failed: {traceback.format_exc()}',
                            throttle_duration_sec=5.0,
                        )
