"""Images and their camera_info, with the stamps, frames and sizes that a test wants."""

from __future__ import annotations

from typing import Any

from espnet_ros.nodes.ros.messages.images import array_to_image
import numpy as np
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

FRAME = 'camera_optical_frame'
SIZE = (16, 32)
BLUE, GREEN, RED = 0, 1, 2
S, MS = 10**9, 10**6


def header_at(stamp_ns: int, frame_id: str = FRAME) -> Header:
    """Return a header with a stamp in nanoseconds."""
    header = Header(frame_id=frame_id)
    header.stamp.sec, header.stamp.nanosec = divmod(stamp_ns, S)
    return header


def image_at(stamp_ns: int, color: int = RED, size: Any = SIZE, frame_id: str = FRAME) -> Image:
    image_bgr = np.zeros((*size, 3), np.uint8)
    image_bgr[..., color] = 255
    return array_to_image(image_bgr, 'bgr8', header_at(stamp_ns, frame_id))


def info_at(
    stamp_ns: int, focal: float = 40.0, size: Any = SIZE, frame_id: str = FRAME, **fields: Any
) -> CameraInfo:
    """Return the camera_info of an image, whose focal length is in pixels."""
    height, width = size
    cx, cy = (width - 1) / 2, (height - 1) / 2
    return CameraInfo(
        header=header_at(stamp_ns, frame_id),
        height=height,
        width=width,
        distortion_model='plumb_bob',
        d=[0.0] * 5,
        k=[focal, 0.0, cx, 0.0, focal, cy, 0.0, 0.0, 1.0],
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[focal, 0.0, cx, 0.0, 0.0, focal, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
        **fields,
    )


def stamp_ns_of(message: Any) -> int:
    """Return a message's stamp in nanoseconds."""
    stamp = message.header.stamp
    return int(stamp.sec) * S + int(stamp.nanosec)
