"""A short drive through the rendered street as a bag, which plays faster than it is rendered."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from espnet_ros.nodes.ros.messages.camera_info import calibration_message
from espnet_ros.nodes.ros.messages.images import array_to_image
from espnet_ros.nodes.ros.messages.stamps import NS_PER_S
from espnet_ros.sources import Frame, open_source
from rclpy.serialization import serialize_message
from std_msgs.msg import Header

_FRAMES = 150
_FRAME_ID = 'camera_optical_frame'


def record_street(folder: Path, size: tuple[int, int], rate_hz: float) -> None:
    """
    Render a drive and write it as ``ros2 bag record`` does: images and their camera_info.

    :param folder: of the bag; must not exist
    :param size: (height, width)
    """
    from rosbags.rosbag2 import StoragePlugin, Writer  # noqa: PLC0415  (an extra)
    from rosbags.typesys import get_typestore, Stores  # noqa: PLC0415

    types = get_typestore(Stores.ROS2_JAZZY)
    with (
        open_source('synthetic', loop=True, rate_hz=rate_hz, size=size) as street,
        Writer(folder, version=9, storage_plugin=StoragePlugin.SQLITE3) as writer,
    ):
        connections = {
            topic: writer.add_connection(topic, f'sensor_msgs/msg/{kind}', typestore=types)
            for topic, kind in (('/camera_info', 'CameraInfo'), ('/image_raw', 'Image'))
        }
        frames = (entry for entry in street if isinstance(entry, Frame))
        for index, frame in enumerate(islice(frames, _FRAMES)):
            stamp_ns = NS_PER_S + round(index * NS_PER_S / rate_hz)
            header = Header(frame_id=_FRAME_ID)
            header.stamp.sec, header.stamp.nanosec = divmod(stamp_ns, NS_PER_S)
            calibration = frame.calibration or street.calibration
            if calibration is not None:
                message = calibration_message(calibration, header)
                writer.write(connections['/camera_info'], stamp_ns, serialize_message(message))
            image = array_to_image(frame.image_bgr, 'bgr8', header)
            writer.write(connections['/image_raw'], stamp_ns, serialize_message(image))
