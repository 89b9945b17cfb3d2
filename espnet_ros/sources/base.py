"""What every source has: frames, a camera model, and iteration that can loop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, TYPE_CHECKING

from espnet_ros.exceptions import InputError
from espnet_ros.labels import LabelSet
from espnet_ros.planning.geometry.camera import Calibration
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class FrameCalibration:
    """
    The calibration of a frame: what a sensor_msgs/CameraInfo holds, without its stamp.

    :param frame_id: frame of its header, where a recording tells; None is that of the image
    :param do_rectify: the flag of its region of interest
    """

    calibration: Calibration
    frame_id: str | None = None
    do_rectify: bool = False


@dataclass(frozen=True, eq=False)
class Frame:
    """
    One image of a source.

    The arrays belong to whoever takes the frame.

    :param name: unique within one pass of the source; good as the stem of a file name
    :param index: position in the source, from 0; starts again where the source loops
    :param image_bgr: uint8, (H, W, 3)
    :param labels: the truth, uint8, (H, W), ids of the source's label set; None where the
        source does not know it
    :param stamp_ns: when the camera took it, nanoseconds, where a recording tells
    :param frame_id: coordinate frame of the camera, where a recording tells
    :param calibration: of the camera as it took this image, where it is known
    :param time_s: when a video shows it, seconds after its beginning; None where there is none
    """

    name: str
    index: int
    image_bgr: NDArray[np.uint8]
    labels: NDArray[np.uint8] | None = None
    stamp_ns: int | None = None
    frame_id: str | None = None
    calibration: FrameCalibration | None = None
    time_s: float | None = None


@dataclass(frozen=True)
class BrokenFrame:
    """
    An image that is there but cannot be read; the source goes on after it.

    :param reason: what is wrong, in words, with the path
    """

    name: str
    index: int
    reason: str


@dataclass(frozen=True)
class CameraModel:
    """
    A pinhole camera without distortion, and how it is mounted.

    Pixel (u, v) is the centre of column u and row v. In the optical frame (x right, y down,
    z forward) a point lands on ``u = fx * x / z + cx``, ``v = fy * y / z + cy``.

    :param fx: focal length across, pixels
    :param fy: focal length down, pixels
    :param cx: column of the optical axis, pixels
    :param cy: row of the optical axis, pixels
    :param height_m: height of the camera above the ground, or None where it is not known
    :param pitch_rad: how far the optical axis points below the horizontal, or None where it
        is not known
    """

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int
    height_m: float | None = None
    pitch_rad: float | None = None

    @property
    def calibration(self) -> Calibration:
        """Return the same without the mount, as a CameraInfo has it."""
        fx, fy, cx, cy = self.fx, self.fy, self.cx, self.cy
        return Calibration(
            size=(self.height, self.width),
            model='plumb_bob',
            d=(0.0,) * 5,
            k=(fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0),
            p=(fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0),
            binning=(0, 0),
        )


class Source(ABC):
    """
    Something that gives images one after another, like a camera.

    A source is iterated, and each iteration starts at its beginning (a webcam: now). It is a
    context manager; closing it frees its device.

    :ivar name: what it is, in words for messages
    :ivar rate_hz: frames per second that it is meant to be played at, or None where it has
        none of its own
    :ivar frame_count: frames of one pass as far as the source tells, or None for endless
    :ivar size: (height, width) of every frame, or None where frames differ
    :ivar camera: exact camera model, or None where it is not known
    :ivar calibration: of the first frame, or None where frames have none; each frame has its own
    :ivar label_set: what the labels of frames mean, or None where frames have none
    :cvar is_live: whether frames come by themselves, so that one not taken in time is old
    :cvar is_stamped: whether frames have the stamps of a recording, and are called after them
    """

    is_live: ClassVar[bool] = False
    is_stamped: ClassVar[bool] = False

    def __init__(
        self,
        name: str,
        *,
        loop: bool = False,
        rate_hz: float | None = None,
        frame_count: int | None = None,
        size: tuple[int, int] | None = None,
        camera: CameraModel | None = None,
        calibration: FrameCalibration | None = None,
        label_set: LabelSet | None = None,
    ) -> None:
        self.name = name
        self.loop = loop
        self.rate_hz = rate_hz
        self.frame_count = frame_count
        self.size = size
        self.camera = camera
        self.calibration = calibration
        self.label_set = label_set

    def __iter__(self) -> Iterator[Frame | BrokenFrame]:
        """
        Give the frames from the beginning, again and again where the source loops.

        :raises InputError: the source breaks off, or it loops and no frame can be read
        """
        while True:
            any_good = False
            for frame in self._frames():
                any_good = any_good or isinstance(frame, Frame)
                yield frame
            if not self.loop:
                return
            if not any_good:
                raise InputError(f'{self.name}: no frame can be read, so it cannot be looped')

    def catch_up(self) -> None:
        """
        Drop what came while nobody read, so that the next frame shows what is there now.

        Is called between two frames; does nothing for a source that waits for its reader.
        """
        return

    def close(self) -> None:
        """Free the device; does nothing for a source that holds none."""
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def _frames(self) -> Iterator[Frame | BrokenFrame]:
        """Give the frames of one pass from the beginning."""
