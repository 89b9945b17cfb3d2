"""
The camera of a benchmark, in a process of its own: one message, again and again.

A message is made once and only its stamp changes, so that the camera takes no more than its
transport does.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from multiprocessing.connection import Connection
from pathlib import Path
import signal
import time
from typing import Any

from espnet_ros.benchmark.image import read_image, street_frame
from espnet_ros.benchmark.node_case import IMAGE_SIZE
from espnet_ros.exceptions import EspnetError, InputError
from espnet_ros.nodes.benchmark.demand import Demand
from espnet_ros.nodes.ros.messages.camera_info import calibration_message
from espnet_ros.nodes.ros.messages.images import array_to_image
from espnet_ros.nodes.ros.messages.stamps import NS_PER_S
from espnet_ros.nodes.ros.qos import result_qos, sensor_qos
from espnet_ros.nodes.ros.topics import input_topic
import rclpy
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

FRAME_ID = 'camera'


@dataclass(frozen=True)
class CameraPlan:
    """
    What the process publishes.

    :param cameras: names, one empty name for a single camera
    :param rate_hz: images per second and camera; 0 publishes on demand
    :param plays_masks: whether class ids of the street are published as ``mask`` instead of images
    :param has_info: whether ``camera_info`` goes beside them
    :param image_path: file of the image, None for the rendered street
    :param image_size: (height, width), None for the file's own or 1080p
    """

    namespace: str
    cameras: tuple[str, ...]
    rate_hz: float
    plays_masks: bool
    has_info: bool
    image_path: Path | None
    image_size: tuple[int, int] | None


class Command(Enum):
    """What the camera is told."""

    PLAY = 'play'
    PAUSE = 'pause'


@dataclass(frozen=True)
class Arrival:
    """Tells a camera on demand what became of an image: it and those before it are done."""

    index: int
    stamp_ns: int


@dataclass(frozen=True)
class Ready:
    """
    The answer once the camera can play.

    :param image: encoding and size, for example ``bgr8 1920x1080``
    """

    image: str


@dataclass(frozen=True)
class Refusal:
    """The answer where it cannot."""

    reason: str


@dataclass(frozen=True)
class Played:
    """
    The answer to PAUSE.

    :param counts: messages published since PLAY, by camera
    :param duration_s: since PLAY
    """

    counts: tuple[int, ...]
    duration_s: float


def play(plan: CameraPlan, connection: Connection) -> None:
    """Publish as told until the other end of the pipe is closed; the process's main function."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    try:
        message, info = _make_messages(plan)
    except (EspnetError, OSError) as error:
        connection.send(Refusal(str(error)))
        return
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    camera = BenchmarkCamera(plan, message, info, connection)
    connection.send(Ready(f'{message.encoding} {message.width}x{message.height}'))
    try:
        while True:
            if connection.recv() is Command.PLAY:  # else an arrival that came after the pause
                camera.play()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass
    finally:
        rclpy.try_shutdown()


class BenchmarkCamera:
    """Publishes one message as several cameras."""

    def __init__(
        self, plan: CameraPlan, message: Image, info: CameraInfo | None, connection: Connection
    ) -> None:
        self._plan = plan
        self._connection = connection
        self._stamp = message.header.stamp
        node = Node(
            'camera',
            namespace=plan.namespace,
            enable_rosout=False,
            start_parameter_services=False,
        )
        kind, qos = ('mask', result_qos) if plan.plays_masks else ('image_raw', sensor_qos)
        messages = {'camera_info': info, kind: message}
        self._outputs: list[list[tuple[Publisher, Any]]] = [
            [
                (node.create_publisher(type(value), input_topic(name, topic), qos()), value)
                for topic, value in messages.items()
                if value is not None
            ]
            for name in plan.cameras
        ]
        self._counts = [0] * len(plan.cameras)

    def play(self) -> None:
        """Publish until told to pause, and tell how many."""
        self._counts = [0] * len(self._counts)
        began_s = time.monotonic()
        if self._plan.rate_hz:
            self._play_at_rate(1 / self._plan.rate_hz)
        else:
            self._play_on_demand()
        self._connection.send(Played(tuple(self._counts), time.monotonic() - began_s))

    def _play_at_rate(self, period_s: float) -> None:
        next_s = time.monotonic()
        while not self._is_paused():
            for index in range(len(self._outputs)):
                self._publish(index)
            # One that is late leaves the grid only where its turn has gone by: no bursts.
            next_s = max(next_s + period_s, time.monotonic())
            time.sleep(max(0.0, next_s - time.monotonic()))

    def _is_paused(self) -> bool:
        while self._connection.poll():
            if self._connection.recv() is Command.PAUSE:
                return True
        return False

    def _play_on_demand(self) -> None:
        demand = Demand(len(self._outputs))
        while True:
            for index in demand.due(time.monotonic()):
                stamp_ns = self._publish(index)
                demand.published(index, stamp_ns, time.monotonic())
            if not self._connection.poll(demand.wait_s()):
                continue
            told = self._connection.recv()
            if told is Command.PAUSE:
                return
            demand.arrived(told.index, told.stamp_ns, time.monotonic())

    def _publish(self, index: int) -> int:
        """Publish as one of the cameras; return the stamp in nanoseconds."""
        stamp_ns = time.time_ns()
        self._stamp.sec, self._stamp.nanosec = divmod(stamp_ns, NS_PER_S)
        for publisher, message in self._outputs[index]:
            publisher.publish(message)
        self._counts[index] += 1
        return stamp_ns


def _make_messages(plan: CameraPlan) -> tuple[Image, CameraInfo | None]:
    """
    Return image or mask, and the geometry; both have the same header.

    :raises EspnetError: the image cannot be had
    :raises OSError: its file cannot be read
    """
    header = Header(frame_id=FRAME_ID)
    if plan.image_path is not None:
        return array_to_image(read_image(plan.image_path, plan.image_size), 'bgr8', header), None
    frame = street_frame(plan.image_size or IMAGE_SIZE)
    info = None
    if plan.has_info and frame.calibration is not None:
        info = calibration_message(frame.calibration, header)
    if not plan.plays_masks:
        return array_to_image(frame.image_bgr, 'bgr8', header), info
    if frame.labels is None:
        raise InputError('the rendered street gave no class ids')
    return array_to_image(frame.labels, 'mono8', header), info
