"""How a camera is mounted, as a transform on /tf_static, where tf2_msgs is installed."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any

from espnet_ros.exceptions import ConfigError
from espnet_ros.nodes.ros.qos import latched_qos
from espnet_ros.planning.geometry.pose import CameraPose, mounted_pose
from espnet_ros.sources import CameraModel
from geometry_msgs.msg import Quaternion, Transform, TransformStamped, Vector3
from rclpy.node import Node

_TOPIC = '/tf_static'


def publish_mount(
    node: Node, camera: CameraModel | None, base_frame: str, camera_frame: str
) -> None:
    """
    Publish from where the camera looks, once, for everybody who comes later too.

    Nothing is published where the mount is not known.

    :param base_frame: frame of the robot: x ahead, y left, z up, the ground at 0
    :raises ConfigError: TF cannot have a transform between these frames
    """
    if camera is None or camera.height_m is None or camera.pitch_rad is None:
        return
    _check_frames(base_frame, camera_frame)
    if find_spec('tf2_msgs') is None:
        node.get_logger().info(
            f'no transform from {base_frame} to {camera_frame}: tf2_msgs is not installed'
        )
        return
    pose = mounted_pose(camera.height_m, pitch_rad=camera.pitch_rad)
    transform = transform_message(pose, base_frame, camera_frame)
    transform.header.stamp = node.get_clock().now().to_msg()
    types: Any = importlib.import_module('tf2_msgs.msg')
    publisher = node.create_publisher(types.TFMessage, _TOPIC, latched_qos())
    publisher.publish(types.TFMessage(transforms=[transform]))


def transform_message(pose: CameraPose, base_frame: str, camera_frame: str) -> TransformStamped:
    """Return where a camera is in the robot's frame, without a stamp."""
    x, y, z = pose.position_m
    qx, qy, qz, qw = pose.quaternion
    message = TransformStamped(child_frame_id=camera_frame)
    message.header.frame_id = base_frame
    message.transform = Transform(
        translation=Vector3(x=x, y=y, z=z), rotation=Quaternion(x=qx, y=qy, z=qz, w=qw)
    )
    return message


def _check_frames(base_frame: str, camera_frame: str) -> None:
    if not base_frame or base_frame.startswith('/') or base_frame == camera_frame:
        raise ConfigError(
            f'base_frame: expected the name of a frame, without a slash before it and other than '
            f'{camera_frame!r} of the images, found {base_frame!r}; publish_transform: false '
            'publishes none'
        )
