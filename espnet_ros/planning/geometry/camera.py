"""Which direction a pixel looks, and back, from the numbers of a CameraInfo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
import math
from typing import Any

from espnet_ros.exceptions import InputError
from espnet_ros.planning.geometry.distortion import Distortion, make_lens, PolynomialLens
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_LARGEST_SKEW = 1e-3
_WIDEST = 20.0  # width over focal length: a field of view of 169 degrees
IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Calibration:
    """
    What a sensor_msgs/CameraInfo holds.

    :param size: (height, width) of the calibrated image, pixels
    :param model: ``distortion_model``
    :param k: intrinsic matrix, 9 values by rows
    :param r: rectification, 9 values by rows; all zero stands for none
    :param p: projection of the rectified image, 12 values by rows
    :param roi: (x_offset, y_offset, width, height) in unbinned pixels; zeros for the whole
    :param binning: (x, y); 0 stands for 1
    """

    size: tuple[int, int]
    model: str
    d: tuple[float, ...]
    k: tuple[float, ...]
    r: tuple[float, ...] = IDENTITY
    p: tuple[float, ...] = (0.0,) * 12
    roi: tuple[int, int, int, int] = (0, 0, 0, 0)
    binning: tuple[int, int] = (1, 1)

    @classmethod
    def from_message(cls, message: Any) -> Calibration:
        """Return the numbers of a sensor_msgs/CameraInfo, whoever carries it: rclpy or a bag."""
        roi = message.roi
        return cls(
            size=(int(message.height), int(message.width)),
            model=message.distortion_model,
            d=tuple(float(value) for value in message.d),
            k=tuple(float(value) for value in message.k),
            r=tuple(float(value) for value in message.r),
            p=tuple(float(value) for value in message.p),
            roi=(int(roi.x_offset), int(roi.y_offset), int(roi.width), int(roi.height)),
            binning=(int(message.binning_x), int(message.binning_y)),
        )


@dataclass(frozen=True)
class Camera:
    """
    A camera whose pixel (u, v) is the centre of column u and row v.

    The optical frame is that of REP 103: x right, y down, z ahead.

    :param size: (height, width), pixels
    :param focal: (fx, fy), pixels
    :param center: (cx, cy), column and row of the optical axis
    :param rotation: 9 values by rows, from the lens' axes to the optical frame's
    """

    size: tuple[int, int]
    focal: tuple[float, float]
    center: tuple[float, float]
    lens: Distortion = field(default_factory=PolynomialLens)
    rotation: tuple[float, ...] = IDENTITY

    def project(self, points: Array) -> Array:
        """
        Return the pixels in which points of the optical frame appear.

        :param points: (..., 3), any length
        :return: (..., 2), column and row, also outside the image; NaN where the lens does
            not see the point
        """
        flat = points.reshape(-1, 3) @ self._axes
        plane = self.lens.distort(flat)
        return (plane * self.focal + self.center).reshape(*points.shape[:-1], 2)

    def rays(self, pixels: Array) -> Array:
        """
        Return the directions that pixels look.

        :param pixels: (..., 2), column and row
        :return: (..., 3), unit length, optical frame; NaN where the lens shows nothing
        """
        plane = (pixels.reshape(-1, 2) - self.center) / self.focal
        rays = self.lens.undistort(plane) @ self._axes.T
        return np.asarray(rays.reshape(*pixels.shape[:-1], 3))

    def contains(self, pixels: Array) -> NDArray[np.bool_]:
        """Return which pixels (..., 2) lie inside the image."""
        height, width = self.size
        u, v = pixels[..., 0], pixels[..., 1]
        return np.asarray((u >= -0.5) & (u < width - 0.5) & (v >= -0.5) & (v < height - 0.5))

    def resized(self, size: tuple[int, int]) -> Camera:
        """
        Return the camera of an image that was resized with aligned pixel centres.

        :param size: (height, width)
        :raises InputError: the proportions differ
        """
        if size == self.size:
            return self
        # Sizes that do not divide lose part of a pixel at the edge.
        if abs(self.size[1] * size[0] - self.size[0] * size[1]) > 2 * max(*self.size, *size):
            raise InputError(
                f'camera_info: expected the proportions of the mask, {size[1]}x{size[0]}, '
                f'found {self.size[1]}x{self.size[0]}'
            )
        x, y = size[1] / self.size[1], size[0] / self.size[0]
        return replace(
            self,
            size=size,
            focal=(self.focal[0] * x, self.focal[1] * y),
            center=((self.center[0] + 0.5) * x - 0.5, (self.center[1] + 0.5) * y - 0.5),
        )

    @property
    def pixel_angle_rad(self) -> float:
        """Return the angle between neighbouring pixels at the optical axis."""
        return 1.0 / max(self.focal)

    @property
    def _axes(self) -> Array:
        """Columns: the lens' axes in the optical frame, so ``p @ axes`` goes to the lens."""
        return np.array(self.rotation).reshape(3, 3)


def make_camera(calibration: Calibration, *, rectified: bool = False) -> Camera:
    """
    Return the camera that a calibration describes, with region of interest and binning.

    Directions are those of the rectified camera, as in image_geometry.

    :param rectified: whether its images were rectified: ``p`` then describes them, else
        ``k``, ``d`` and ``r``
    :raises InputError: it is not calibrated, or its numbers do not fit each other
    """
    height, width = calibration.size
    fx, fy, cx, cy = _intrinsics(calibration, rectified=rectified)
    x0, y0, roi_width, roi_height = calibration.roi
    if x0 + roi_width > width or y0 + roi_height > height:
        raise InputError(
            f'camera_info: expected a region of interest inside {width}x{height} pixels, found '
            f'{roi_width}x{roi_height} at ({x0}, {y0})'
        )
    lens = PolynomialLens() if rectified else make_lens(calibration.model, calibration.d)
    if isinstance(lens, PolynomialLens) and max(width / fx, height / fy) > _WIDEST:
        raise InputError(
            f'camera_info: expected focal lengths in pixels, found {fx:g} and {fy:g} for an image '
            f'of {width}x{height}, which no lens but a fisheye has; millimetres?'
        )
    if roi_width and roi_height:
        width, height = roi_width, roi_height
    x_bin, y_bin = (max(1, value) for value in calibration.binning)
    return Camera(
        size=(height // y_bin, width // x_bin),
        focal=(fx / x_bin, fy / y_bin),
        center=((cx - x0 + 0.5) / x_bin - 0.5, (cy - y0 + 0.5) / y_bin - 0.5),
        lens=lens,
        rotation=IDENTITY if rectified else _rotation(calibration.r),
    )


def _intrinsics(calibration: Calibration, *, rectified: bool) -> tuple[float, float, float, float]:
    """Return fx, fy, cx, cy of the whole image."""
    height, width = calibration.size
    matrix, columns = (calibration.p, 4) if rectified else (calibration.k, 3)
    name = 'P' if rectified else 'K'
    if len(matrix) != 3 * columns or not all(math.isfinite(value) for value in matrix):
        raise InputError(f'camera_info: expected {3 * columns} finite values in {name}')
    fx, skew, cx = matrix[:3]
    fy, cy = matrix[columns + 1 : columns + 3]
    if min(height, width) < 1 or fx <= 0 or fy <= 0:
        raise InputError(
            f'camera_info: expected a size and focal lengths above 0 in {name}, found '
            f'{width}x{height} pixels and {fx:g}, {fy:g}: the camera is not calibrated'
        )
    last_row = (0.0, 0.0, 1.0, 0.0)[:columns]
    is_usual = matrix[columns] == 0 and tuple(matrix[2 * columns :]) == last_row
    if not is_usual or abs(skew) > _LARGEST_SKEW * fx:
        raise InputError(
            f'camera_info: expected {name} of rows (fx 0 cx), (0 fy cy), (0 0 1), found {matrix}'
        )
    return fx, fy, cx, cy


def _rotation(values: Sequence[float]) -> tuple[float, ...]:
    if not any(values):
        return IDENTITY
    matrix = np.asarray(values, float)
    if matrix.shape != (9,) or not is_rotation(matrix.reshape(3, 3)):
        raise InputError(f'camera_info: expected a rotation matrix in R, found {list(values)}')
    return tuple(float(value) for value in values)


def is_rotation(matrix: Array) -> bool:
    """Return whether a 3x3 matrix turns without scaling or mirroring."""
    return bool(
        np.isfinite(matrix).all()
        and np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-3)
        and np.linalg.det(matrix) > 0
    )


def check_size(values: NDArray[np.uint8], size: tuple[int, int], name: str) -> None:
    """
    Check that a mask or a confidence has the size of its calibration.

    :param size: (height, width)
    :raises InputError: it does not
    """
    if values.shape != size:
        found = 'x'.join(str(length) for length in values.shape[::-1])
        raise InputError(
            f'{name}: expected {size[1]}x{size[0]} pixels, as the calibration has, found {found}'
        )
