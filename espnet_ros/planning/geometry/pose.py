"""How a camera is mounted over the ground."""

from __future__ import annotations

from dataclasses import dataclass
import math

from espnet_ros.exceptions import InputError
from espnet_ros.planning.geometry.camera import Camera, is_rotation
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Beyond it, coordinates are too coarse for the cells of a map; the earth is smaller.
_FARTHEST_M = 1e8

# Columns: the optical axes right, down and ahead in a frame of x ahead, y left, z up.
_OPTICAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


@dataclass(frozen=True)
class CameraPose:
    """
    Place and direction of a camera in the robot's frame: x ahead, y left, z up, ground at 0.

    :param rotation: 9 values by rows, from the optical frame to the robot's
    :param position_m: (x, y, z) of the optical centre
    """

    rotation: tuple[float, ...]
    position_m: tuple[float, float, float]

    @property
    def matrix(self) -> Array:
        return np.array(self.rotation).reshape(3, 3)

    @property
    def height_m(self) -> float:
        return self.position_m[2]

    @property
    def heading_rad(self) -> float:
        """Return the bearing of the image's middle column, counterclockwise from x."""
        _, down, ahead = self.matrix.T
        # A camera that looks straight down heads where the image's upper edge is.
        x, y = ahead[:2] if math.hypot(ahead[0], ahead[1]) > 1e-6 else -down[:2]
        return math.atan2(y, x)

    @property
    def pitch_rad(self) -> float:
        """Return how far the optical axis points below the horizontal."""
        return -math.asin(max(-1.0, min(1.0, float(self.matrix[2, 2]))))

    @property
    def quaternion(self) -> tuple[float, float, float, float]:
        """Return the rotation as (x, y, z, w), of length 1; see :func:`transform_matrix`."""
        (a, b, c), (d, e, f), (g, h, i) = self.matrix
        # Row n is 4 q[n] q: all point the same way, and the longest is the most exact.
        rows = np.array(
            [
                [1 + a - e - i, b + d, c + g, h - f],
                [b + d, 1 - a + e - i, f + h, c - g],
                [c + g, f + h, 1 - a - e + i, d - b],
                [h - f, c - g, d - b, 1 + a + e + i],
            ]
        )
        row = rows[np.argmax(rows.diagonal())]
        x, y, z, w = (float(value) for value in row / np.linalg.norm(row))
        return x, y, z, w

    def pitched(self, angle_rad: float) -> CameraPose:
        """Return the pose with the optical axis turned downwards, about the camera itself."""
        heading = self.heading_rad
        cos, sin = math.cos(angle_rad), math.sin(angle_rad)
        about_y = np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])
        turn = _about_z(heading) @ about_y @ _about_z(-heading)
        return make_pose(turn @ self.matrix, self.position_m)

    def is_near(self, other: CameraPose, distance_m: float, angle_rad: float) -> bool:
        """Return whether two poses differ by no more than that."""
        moved = np.subtract(self.position_m, other.position_m)
        turned = 0.5 * (np.trace(self.matrix.T @ other.matrix) - 1.0)
        # acos is too coarse for angles below 1e-8.
        return bool(
            np.linalg.norm(moved) <= distance_m
            and math.acos(min(1.0, max(-1.0, float(turned)))) <= max(angle_rad, 3e-8)
        )


def make_pose(rotation: Array, position_m: tuple[float, float, float] | Array) -> CameraPose:
    """
    Return a pose from a matrix and a position.

    :param rotation: (3, 3), from the optical frame to the robot's
    :param position_m: (x, y, z)
    :raises InputError: it is no rotation, or the camera is not above the ground
    """
    if not is_rotation(rotation) or not np.isfinite(position_m).all():
        raise InputError('camera pose: expected a rotation and a finite position')
    x, y, z = (float(value) for value in position_m)
    if z <= 0.01:
        raise InputError(
            f'camera pose: expected the camera above the ground, found it at {z:.3g} m; give its '
            'height over the ground, or the frame of the ground'
        )
    return CameraPose(tuple(float(value) for value in rotation.ravel()), (x, y, z))


def mounted_pose(
    height_m: float,
    *,
    pitch_rad: float = 0.0,
    roll_rad: float = 0.0,
    yaw_rad: float = 0.0,
    x_m: float = 0.0,
    y_m: float = 0.0,
) -> CameraPose:
    """
    Return the pose of a camera from how it is mounted; angles as in REP 103.

    :param height_m: over the ground
    :param pitch_rad: how far it points below the horizontal
    :param roll_rad: how far its right side hangs below its left one
    :param yaw_rad: how far it points to the left
    :param x_m: ahead of the robot's origin
    :param y_m: to the left of the robot's origin
    :raises InputError: the camera is not above the ground
    """
    cos, sin = math.cos(pitch_rad), math.sin(pitch_rad)
    about_y = np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])
    cos, sin = math.cos(roll_rad), math.sin(roll_rad)
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]])
    rotation = _about_z(yaw_rad) @ about_y @ about_x @ _OPTICAL
    return make_pose(rotation, (x_m, y_m, height_m))


def matrix_pose(transform: Array, ground_z_m: float = 0.0) -> CameraPose:
    """
    Return the pose that a transform from the optical frame to the robot's frame gives.

    :param transform: (4, 4)
    :param ground_z_m: z of the ground in the robot's frame
    :raises InputError: it is no rigid transform, or the camera is not above the ground
    """
    position = transform[:3, 3] - (0.0, 0.0, ground_z_m)
    return make_pose(transform[:3, :3], position)


def transform_matrix(
    translation: tuple[float, float, float], quaternion: tuple[float, float, float, float]
) -> Array:
    """
    Return a transform as a 4x4 matrix.

    :param quaternion: (x, y, z, w)
    :raises InputError: the quaternion has no length, or the translation is no place
    """
    if not all(abs(value) <= _FARTHEST_M for value in translation):
        raise InputError(
            f'transform: expected a translation of at most {_FARTHEST_M:g} m, found {translation}'
        )
    length = math.sqrt(sum(value * value for value in quaternion))
    if not math.isfinite(length) or length < 1e-6:
        raise InputError(f'transform: expected a quaternion of length 1, found {quaternion}')
    x, y, z, w = (value / length for value in quaternion)
    matrix = np.eye(4)
    matrix[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, 3] = translation
    return matrix


def _about_z(angle_rad: float) -> Array:
    cos, sin = math.cos(angle_rad), math.sin(angle_rad)
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def points_to_pixels(camera: Camera, pose: CameraPose, points: Array) -> Array:
    """
    Return the pixels in which points appear.

    :param points: (..., 3), metres, robot's frame; or (..., 2) on the ground
    :return: (..., 2), column and row, also outside the image; NaN where the lens does not
        see the point
    """
    if points.shape[-1] == 2:
        points = np.concatenate([points, np.zeros((*points.shape[:-1], 1))], axis=-1)
    return camera.project((points - pose.position_m) @ pose.matrix)
