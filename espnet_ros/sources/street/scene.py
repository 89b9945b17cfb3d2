"""What stands where, in metres: the truth behind a rendered street."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.labels import LabelSet
from espnet_ros.sources.base import CameraModel
import numpy as np
from numpy.typing import ArrayLike, NDArray

ROAD_HALF_WIDTH_M = 5.4
"""From the middle of the road to its curb: a lane and a row of parked cars on each side."""

LANE_WIDTH_M = 3.2

PAVEMENT_WIDTH_M = 3.0

STREET_HALF_WIDTH_M = ROAD_HALF_WIDTH_M + PAVEMENT_WIDTH_M
"""From the middle of the road to the building line."""

VEHICLE_OFFSET_M = -LANE_WIDTH_M / 2
"""Where the vehicle drives: to the right (y is left) of the middle of the road."""


@dataclass(frozen=True)
class Box:
    """
    An upright box on the ground whose sides are parallel to the street.

    :param x_m: centre, ahead of the vehicle
    :param y_m: centre, to the left of the vehicle
    :param length_m: extent along x
    :param width_m: extent along y
    :param height_m: extent upwards from the ground
    """

    label: str
    x_m: float
    y_m: float
    length_m: float
    width_m: float
    height_m: float


@dataclass(frozen=True)
class Cylinder:
    """
    An upright cylinder on the ground: a person, a pole, the trunk of a tree.

    :param x_m: centre, ahead of the vehicle
    :param y_m: centre, to the left of the vehicle
    :param height_m: extent upwards from the ground
    """

    label: str
    x_m: float
    y_m: float
    radius_m: float
    height_m: float


@dataclass(frozen=True)
class StreetScene:
    """
    The geometry of one frame in the vehicle's frame.

    The frame is that of REP 103: x ahead, y left, z up, origin on the ground below the camera.
    The ground, pavement included, is the plane z = 0. The street is straight, and the vehicle
    drives parallel to it.

    :param camera: exact camera model, with height and pitch
    :param position_m: way that the vehicle has driven along the street
    :param vehicle_offset_m: y of the vehicle as seen from the middle of the road
    :param road_half_width_m: from the middle of the road to the curbs
    :param street_half_width_m: from the middle of the road to the building line; the pavement
        lies between curb and building line
    :param visible_m: obstacles are listed, and drawn, up to this distance
    :param obstacles: everything that stands on the ground, from a little behind the camera on
    """

    camera: CameraModel
    label_set: LabelSet
    position_m: float
    vehicle_offset_m: float
    road_half_width_m: float
    street_half_width_m: float
    visible_m: float
    obstacles: tuple[Box | Cylinder, ...]

    def ground_labels(self, x_m: ArrayLike, y_m: ArrayLike) -> NDArray[np.uint8]:
        """
        Return the class of the ground itself, whatever stands on it.

        :param x_m: metres ahead, any shape
        :param y_m: metres to the left, a shape that broadcasts with it
        :return: uint8 ids of road, pavement, and void beyond the building line
        """
        ids = [self.label_set.id_of(name) for name in ('road', 'pavement', 'void')]
        from_middle_m = np.abs(np.asarray(y_m, float) + self.vehicle_offset_m)
        zone = (from_middle_m >= self.road_half_width_m).astype(np.uint8)
        zone += from_middle_m >= self.street_half_width_m
        return np.broadcast_to(np.array(ids, np.uint8)[zone], np.broadcast(x_m, y_m).shape).copy()
