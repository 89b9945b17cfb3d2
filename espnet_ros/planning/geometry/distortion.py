"""
Lens distortion: from the direction of a point to the normalised image plane and back.

The models are those of sensor_msgs/distortion_models.hpp, with the equations of OpenCV's
calib3d and fisheye modules. The ways back have no closed form; they are found by Newton's
method, and what did not converge is NaN instead of a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
import math
from typing import Protocol

from espnet_ros.exceptions import InputError
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_ITERATIONS = 30
_TOLERANCE = 1e-10
_WIDEST_TANGENT = 20.0

# Not so a fisheye's model, whose name says more than its coefficients.
_STRAIGHT_WITHOUT_COEFFICIENTS = (
    *('', 'none', 'pinhole', 'perspective', 'plumb_bob', 'rational_polynomial', 'radtan'),
    *('brown_conrady', 'inverse_brown_conrady', 'modified_brown_conrady', 'thin_prism'),
)


class Distortion(Protocol):
    def distort(self, directions: Array) -> Array:
        """
        Return where points appear.

        :param directions: (N, 3) of any length, optical frame (x right, y down, z ahead)
        :return: (N, 2), normalised image plane; NaN where the lens does not see the point
        """

    def undistort(self, plane: Array) -> Array:
        """
        Return the directions of what appears at points; the reverse of :meth:`distort`.

        :param plane: (N, 2), normalised image plane
        :return: (N, 3), unit length; NaN where nothing can appear
        """


@dataclass(frozen=True)
class PolynomialLens:
    """
    Brown and Conrady's lens with a rational radial part: plumb_bob and rational_polynomial.

    :param numerator: k1, k2, k3
    :param tangential: p1, p2
    :param denominator: k4, k5, k6
    """

    numerator: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tangential: tuple[float, float] = (0.0, 0.0)
    denominator: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def distort(self, directions: Array) -> Array:
        """Return where points appear; see :meth:`Distortion.distort`."""
        ahead = directions[:, 2] > 0
        plane = np.full((len(directions), 2), np.nan)
        plane[ahead] = directions[ahead, :2] / directions[ahead, 2:]
        if self.is_ideal:
            return plane
        # Beyond its fold a polynomial sends points back into the image.
        plane[np.hypot(*plane.T) > self.fold_radius] = np.nan
        return self._distort(plane)[0]

    def undistort(self, plane: Array) -> Array:
        """Return directions; see :meth:`Distortion.undistort`."""
        if self.is_ideal:
            return _unit(plane)
        found = self._shorten(plane.astype(float))
        for _ in range(_ITERATIONS):
            shown, jacobian = self._distort(found)
            error = shown - plane
            if np.nanmax(np.abs(error), initial=0.0) < _TOLERANCE:
                break
            a, b, d = jacobian
            determinant = a * d - b * b
            determinant[determinant == 0] = np.nan
            x, y = error.T
            step = np.column_stack([d * x - b * y, a * y - b * x]) / determinant[:, None]
            found = self._shorten(found - step)
        shown, _ = self._distort(found)
        wrong = ~(np.abs(shown - plane).max(axis=1) < 100 * _TOLERANCE)
        found[wrong] = np.nan
        return _unit(found)

    @property
    def is_ideal(self) -> bool:
        return not any((*self.numerator, *self.tangential, *self.denominator))

    @cached_property
    def fold_radius(self) -> float:
        """Return up to which radius farther out means farther out in the image too."""
        radius = np.linspace(0.0, _WIDEST_TANGENT, 8001)
        gain, _ = self._radial(radius**2)
        backwards = np.flatnonzero(~(np.diff(radius * gain) > 0) | (gain[1:] <= 0))
        return float(radius[backwards[0]]) if backwards.size else math.inf

    def _shorten(self, plane: Array) -> Array:
        radius = np.hypot(*plane.T)
        with np.errstate(divide='ignore', invalid='ignore'):
            return np.asarray(
                plane * np.minimum(1.0, self.fold_radius / radius)[:, None]
                if math.isfinite(self.fold_radius) and radius.size
                else plane
            )

    def _radial(self, r2: Array) -> tuple[Array, Array]:
        """Return the radial factor and its derivative by the squared radius."""
        (k1, k2, k3), (k4, k5, k6) = self.numerator, self.denominator
        top = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
        bottom = 1 + r2 * (k4 + r2 * (k5 + r2 * k6))
        top_slope = k1 + r2 * (2 * k2 + r2 * 3 * k3)
        bottom_slope = k4 + r2 * (2 * k5 + r2 * 3 * k6)
        with np.errstate(divide='ignore', invalid='ignore', over='ignore'):
            gain = top / bottom
            return gain, (top_slope - gain * bottom_slope) / bottom

    def _distort(self, plane: Array) -> tuple[Array, tuple[Array, Array, Array]]:
        """Return distorted points, and their symmetric Jacobian as (xx, xy, yy)."""
        p1, p2 = self.tangential
        x, y = plane.T
        r2 = x * x + y * y
        gain, slope = self._radial(r2)
        shown = np.column_stack(
            [
                x * gain + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
                y * gain + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
            ]
        )
        xx = gain + 2 * x * x * slope + 2 * p1 * y + 6 * p2 * x
        xy = 2 * x * y * slope + 2 * p1 * x + 2 * p2 * y
        yy = gain + 2 * y * y * slope + 6 * p1 * y + 2 * p2 * x
        return shown, (xx, xy, yy)


@dataclass(frozen=True)
class EquidistantLens:
    """
    The fisheye lens of Kannala and Brandt: equidistant.

    :param coefficients: k1, k2, k3, k4
    """

    coefficients: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)

    def distort(self, directions: Array) -> Array:
        """Return where points appear; see :meth:`Distortion.distort`."""
        x, y, z = directions.T
        across = np.hypot(x, y)
        angle = np.arctan2(across, z)
        radius = np.where(angle <= self.fold_angle, self._radius(angle)[0], np.nan)
        with np.errstate(divide='ignore', invalid='ignore'):
            scale = np.where(across > 0, radius / across, 0.0)
        return np.column_stack([x * scale, y * scale])

    def undistort(self, plane: Array) -> Array:
        """Return directions; see :meth:`Distortion.undistort`."""
        radius = np.hypot(*plane.T)
        angle = np.minimum(radius, self.fold_angle)
        for _ in range(_ITERATIONS):
            shown, slope = self._radius(angle)
            if np.nanmax(np.abs(shown - radius), initial=0.0) < _TOLERANCE:
                break
            with np.errstate(divide='ignore', invalid='ignore'):
                angle = np.clip(angle - (shown - radius) / slope, 0.0, self.fold_angle)
        wrong = ~(np.abs(self._radius(angle)[0] - radius) < 100 * _TOLERANCE)
        angle[wrong] = np.nan
        with np.errstate(divide='ignore', invalid='ignore'):
            scale = np.where(radius > 0, np.sin(angle) / radius, 0.0)
        return np.column_stack([plane * scale[:, None], np.cos(angle)])

    @cached_property
    def fold_angle(self) -> float:
        """Return up to which angle farther out means farther out in the image too."""
        angle = np.linspace(0.0, math.pi, 4001)
        backwards = np.flatnonzero(~(np.diff(self._radius(angle)[0]) > 0))
        return float(angle[backwards[0]]) if backwards.size else math.pi

    def _radius(self, angle: Array) -> tuple[Array, Array]:
        """Return the radius in the image plane and its derivative by the angle."""
        k1, k2, k3, k4 = self.coefficients
        a2 = angle * angle
        radius = angle * (1 + a2 * (k1 + a2 * (k2 + a2 * (k3 + a2 * k4))))
        slope = 1 + a2 * (3 * k1 + a2 * (5 * k2 + a2 * (7 * k3 + a2 * 9 * k4)))
        return radius, slope


def make_lens(model: str, coefficients: Sequence[float]) -> Distortion:
    """
    Return the lens that a camera_info describes.

    :param model: ``distortion_model``; where no coefficient is set, also empty or the name of
        another model that is a pinhole then
    :param coefficients: ``d``
    :raises InputError: an unknown model, or a number of coefficients that it does not have
    """
    d = [float(value) for value in coefficients]
    if not all(map(math.isfinite, d)):
        raise InputError(f'camera_info: expected finite distortion coefficients, found {d}')
    if not any(d) and model.lower() in _STRAIGHT_WITHOUT_COEFFICIENTS:
        return PolynomialLens()
    if model in ('equidistant', 'fisheye') and len(d) in (0, 4):
        k1, k2, k3, k4 = d or (0.0,) * 4
        return EquidistantLens((k1, k2, k3, k4))
    if model == 'plumb_bob' and len(d) in (4, 5):
        k1, k2, p1, p2, k3 = (*d, 0.0)[:5]
        return PolynomialLens((k1, k2, k3), (p1, p2))
    # Thin prism and tilt follow the eight; where they are zero nothing is lost.
    if model == 'rational_polynomial' and len(d) >= 8 and not any(d[8:]):
        k1, k2, p1, p2, k3, k4, k5, k6 = d[:8]
        return PolynomialLens((k1, k2, k3), (p1, p2), (k4, k5, k6))
    raise InputError(
        'camera_info: expected distortion plumb_bob (4 or 5 coefficients), rational_polynomial '
        f'(8, no thin prism or tilt) or equidistant (4), found {model!r} with {len(d)}'
    )


def _unit(plane: Array) -> Array:
    directions = np.column_stack([plane, np.ones(len(plane))])
    return np.asarray(directions / np.linalg.norm(directions, axis=1, keepdims=True))
