"""Where the cameras and the robot are: from TF where there is one, else from parameters."""

from __future__ import annotations

from collections.abc import Callable
import importlib
from importlib.util import find_spec
from typing import Any, Protocol

from espnet_ros.config import FreeSpaceSettings
from espnet_ros.exceptions import ConfigError, InputError
from espnet_ros.planning.pose import CameraPose, matrix_pose, mounted_pose, transform_matrix
import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.time import Time

Array = NDArray[np.float64]


class PoseSource(Protocol):
    """Tells poses at moments."""

    name: str

    def camera_pose(self, camera: str, frame: str, stamp: Any) -> CameraPose:
        """
        Return where a camera is.

        :param camera: camera name
        :param frame: frame_id of its images
        :param stamp: of the image, builtin_interfaces/Time
        :raises InputError: it is not known, or makes no sense
        """

    def odometry(self, stamp: Any) -> Array | None:
        """
        Return the robot's place in the odometry frame as a 4x4 matrix, or None.

        :raises InputError: there should be one, but not for that moment
        """

    def close(self) -> None:
        """Free what it holds."""


class ParameterPoses:
    """
    Poses from the parameters ``mount.*``; there is no odometry.

    :param settings: returns the settings of this moment
    """

    name = 'parameters'

    def __init__(self, settings: Callable[[], FreeSpaceSettings]) -> None:
        self._settings = settings

    def camera_pose(self, camera: str, frame: str, stamp: Any) -> CameraPose:
        """Return where a camera is; see :meth:`PoseSource.camera_pose`."""
        settings = self._settings()
        mount = settings.mount.of_camera(settings.cameras.index(camera))
        if mount['height_m'] <= 0:
            raise InputError(
                'camera pose: expected mount.height_m above 0 m; set the height of the camera '
                'over the ground, or use TF (pose_source: tf)'
            )
        return mounted_pose(**mount)

    def odometry(self, stamp: Any) -> Array | None:
        """Return None."""
        return None

    def close(self) -> None:
        """Do nothing."""


class TransformPoses:
    """
    Poses from TF.

    :param node: the node
    :param settings: returns the settings of this moment
    """

    name = 'tf'

    def __init__(self, node: Node, settings: Callable[[], FreeSpaceSettings]) -> None:
        self._tf: Any = importlib.import_module('tf2_ros')
        self._settings = settings
        self._buffer = self._tf.Buffer()
        self._listener = self._tf.TransformListener(self._buffer, node)

    def camera_pose(self, camera: str, frame: str, stamp: Any) -> CameraPose:
        """Return where a camera is; see :meth:`PoseSource.camera_pose`."""
        if not frame:
            raise InputError(
                'camera pose: expected a frame_id in the header of the mask, found none; set the '
                "frame of the camera driver's images"
            )
        settings = self._settings()
        matrix = self._look_up(settings.base_frame, frame, stamp)
        return matrix_pose(matrix, settings.ground_z_m)

    def odometry(self, stamp: Any) -> Array | None:
        """Return the robot's place; see :meth:`PoseSource.odometry`."""
        settings = self._settings()
        return self._look_up(settings.odometry_frame, settings.base_frame, stamp)

    def close(self) -> None:
        """Stop listening."""
        self._listener.unregister()

    def _look_up(self, target: str, source: str, stamp: Any) -> Array:
        try:
            found = self._buffer.lookup_transform(target, source, Time.from_msg(stamp))
        except self._tf.TransformException as error:
            raise InputError(
                f'TF: expected a transform from {source!r} to {target!r} at '
                f'{stamp.sec}.{stamp.nanosec:09d}, found none ({error})'
            ) from error
        shift, turn = found.transform.translation, found.transform.rotation
        return transform_matrix((shift.x, shift.y, shift.z), (turn.x, turn.y, turn.z, turn.w))


def open_poses(node: Node, settings: Callable[[], FreeSpaceSettings]) -> PoseSource:
    """
    Return the source of poses that the settings ask for.

    :raises ConfigError: TF is asked for and not installed
    """
    wanted = settings().pose_source
    has_tf = find_spec('tf2_ros') is not None
    if wanted == 'tf' and not has_tf:
        raise ConfigError(
            'pose_source: tf needs tf2_ros, which is not installed; install '
            'ros-$ROS_DISTRO-tf2-ros-py, or use pose_source: parameters and mount.*'
        )
    if wanted == 'tf' or (wanted == 'auto' and has_tf):
        return TransformPoses(node, settings)
    return ParameterPoses(settings)
