"""Where the cameras and the robot are: from TF where there is one, else from parameters."""

from __future__ import annotations

from collections.abc import Callable
import importlib
from importlib.util import find_spec
import math
from typing import Any, Protocol

from espnet_ros.config import FreeSpaceSettings
from espnet_ros.exceptions import ConfigError, InputError
from espnet_ros.nodes.free_space.synchronization.ages import in_seconds
from espnet_ros.nodes.free_space.synchronization.stamp_queue import PendingError
from espnet_ros.nodes.ros.messages.stamps import stamp_ns
from espnet_ros.planning.geometry.pose import (
    CameraPose,
    matrix_pose,
    mounted_pose,
    transform_matrix,
)
import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.time import Time

Array = NDArray[np.float64]

_FOOTPRINT = 'base_footprint'
"""The frame on the ground below the robot (REP 120)."""

_SAME_GROUND_M = 0.03

_LEAST_UPRIGHT = 0.5
"""Cosine of the greatest angle between z of the robot and of its odometry."""


class NoFrameError(PendingError):
    """A frame is not in the tree of transforms; it may be published later, or never."""


class PoseSource(Protocol):
    """Tells poses at moments."""

    name: str

    def camera_pose(self, camera: str, frame: str, stamp: Any) -> CameraPose:
        """
        Return where a camera is.

        :param frame: frame_id of its images
        :raises PendingError: it may be known later
        :raises InputError: it is not known, or makes no sense
        """

    def odometry(self, stamp: Any) -> Array:
        """
        Return the robot's place in the odometry frame as a 4x4 matrix.

        :raises NoFrameError: there is no odometry
        :raises PendingError: there is one, but not for that moment
        :raises InputError: it makes no sense
        """

    def forget(self) -> None:
        """Forget what was said of other moments, as time went back."""

    def close(self) -> None:
        """Free what it holds; may be called more than once."""


class ParameterPoses:
    """Poses from the parameters ``mount.*``; there is no odometry."""

    name = 'parameters'

    def __init__(self, settings: Callable[[], FreeSpaceSettings]) -> None:
        self._settings = settings

    def camera_pose(self, camera: str, frame: str, stamp: Any) -> CameraPose:
        settings = self._settings()
        mount = settings.mount.of_camera(settings.cameras.index(camera))
        if mount['height_m'] <= 0:
            raise InputError(
                'camera pose: expected mount.height_m above 0 m; set the height of the camera '
                'over the ground, or use TF (pose_source: tf)'
            )
        return mounted_pose(**mount)

    def odometry(self, stamp: Any) -> Array:
        raise NoFrameError('there is no odometry where poses come from parameters')

    def forget(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class TransformPoses:
    """
    Poses from TF, whose listener starts empty.

    Nothing here waits: a lookup that may succeed later raises PendingError.
    """

    name = 'tf'

    def __init__(self, node: Node, settings: Callable[[], FreeSpaceSettings]) -> None:
        self._tf: Any = importlib.import_module('tf2_ros')
        self._settings = settings
        self._buffer = self._tf.Buffer()
        self._listener: Any = self._tf.TransformListener(self._buffer, node)

    def camera_pose(self, camera: str, frame: str, stamp: Any) -> CameraPose:
        """Return where a camera is; see :meth:`PoseSource.camera_pose`."""
        if not frame:
            raise InputError(
                'camera pose: expected a frame_id in the header of the mask, found none; set the '
                "frame of the camera driver's images"
            )
        settings = self._settings()
        matrix = self._look_up(settings.base_frame, frame, stamp)
        if settings.base_frame != _FOOTPRINT:
            self._check_ground(settings, stamp)
        return matrix_pose(matrix, settings.ground_z_m)

    def odometry(self, stamp: Any) -> Array:
        """Return the robot's place; see :meth:`PoseSource.odometry`."""
        settings = self._settings()
        matrix = self._look_up(settings.odometry_frame, settings.base_frame, stamp)
        if matrix[2, 2] < _LEAST_UPRIGHT:
            lean_deg = math.degrees(math.acos(max(-1.0, float(matrix[2, 2]))))
            raise InputError(
                f'TF: expected z of {settings.base_frame!r} to point up in '
                f'{settings.odometry_frame!r}, found it {lean_deg:.0f} degrees off; set '
                'base_frame and odometry_frame to frames of x ahead, y left, z up'
            )
        return matrix

    def forget(self) -> None:
        """Forget all but static transforms: TF refuses what is much older than its newest."""
        self._buffer.clear()

    def close(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.unregister()

    def _check_ground(self, settings: FreeSpaceSettings, stamp: Any) -> None:
        """
        Compare the height of the ground with that of base_footprint, where there is one.

        :raises InputError: they differ, and all distances with them
        """
        base = settings.base_frame
        try:
            found = self._buffer.lookup_transform(base, _FOOTPRINT, Time.from_msg(stamp))
        except self._tf.TransformException:
            return
        z_m = found.transform.translation.z
        if abs(z_m - settings.ground_z_m) > _SAME_GROUND_M:
            raise InputError(
                f'ground_z_m: expected {z_m:.3g} m, the height of {_FOOTPRINT} in {base!r}, found '
                f'{settings.ground_z_m:g} m; set ground_z_m, or base_frame: {_FOOTPRINT}'
            )

    def _look_up(self, target: str, source: str, stamp: Any) -> Array:
        time_ns = stamp_ns(stamp)
        wanted = f'TF: expected a transform from {source!r} to {target!r} at {in_seconds(time_ns)}'
        if time_ns <= 0:
            # To tf2, time 0 is the newest transform, which need not be that of the image.
            raise InputError(
                f'{wanted}, which is not a time; set stamps in the camera driver, or use '
                'pose_source: parameters'
            )
        tf = self._tf
        try:
            found = self._buffer.lookup_transform(target, source, Time.from_msg(stamp))
        except (tf.LookupException, tf.ConnectivityException) as error:
            raise NoFrameError(f'{wanted}, found none ({error})') from error
        except tf.ExtrapolationException as error:
            raise PendingError(f'{wanted}, found none for that time ({error})') from error
        except tf.TransformException as error:
            raise InputError(f'{wanted}, found none ({error})') from error
        shift, turn = found.transform.translation, found.transform.rotation
        return transform_matrix((shift.x, shift.y, shift.z), (turn.x, turn.y, turn.z, turn.w))


def name_pose_source(settings: FreeSpaceSettings) -> str:
    """
    Return which source of poses the settings ask for: ``tf`` or ``parameters``.

    :raises ConfigError: TF is requested and not installed
    """
    has_tf = find_spec('tf2_ros') is not None
    if settings.pose_source == 'tf' and not has_tf:
        raise ConfigError(
            'pose_source: tf needs tf2_ros, which is not installed; install '
            'ros-$ROS_DISTRO-tf2-ros-py, or use pose_source: parameters and mount.*'
        )
    return 'tf' if settings.pose_source != 'parameters' and has_tf else 'parameters'


def open_poses(node: Node, settings: Callable[[], FreeSpaceSettings]) -> PoseSource:
    """
    Return the source of poses that the settings ask for.

    :raises ConfigError: TF is requested and not installed
    """
    if name_pose_source(settings()) == 'tf':
        return TransformPoses(node, settings)
    return ParameterPoses(settings)
