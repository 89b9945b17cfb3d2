"""Maps, ranges, outlines and clouds as messages."""

from __future__ import annotations

from espnet_ros.nodes.ros.messages.images import message_array
from espnet_ros.planning.contacts import Contacts
from espnet_ros.planning.grid import GridShape, SweepShape
from geometry_msgs.msg import Point32, Polygon, PolygonStamped
from nav_msgs.msg import OccupancyGrid
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import LaserScan, PointCloud2, PointField
from std_msgs.msg import Header

CONTACT_TYPE = np.dtype(
    {
        'names': ['x', 'y', 'z', 'confidence', 'class_id'],
        'formats': ['<f4', '<f4', '<f4', '<f4', 'u1'],
        'offsets': [0, 4, 8, 12, 16],
        'itemsize': 20,
    }
)
"""Layout of a point of ~/obstacles."""

PLACE_TYPE = np.dtype([('x', '<f4'), ('y', '<f4'), ('z', '<f4')])
"""Layout of a point of ~/points."""

_FIELD_KINDS = {'f4': PointField.FLOAT32, 'u1': PointField.UINT8}


def make_costmap(
    cost: NDArray[np.int8], shape: GridShape, ground_z_m: float, header: Header
) -> OccupancyGrid:
    """Return a map, (rows, columns), as a message."""
    message = OccupancyGrid(header=header)
    message.info.map_load_time = header.stamp
    message.info.resolution = float(shape.resolution_m)
    message.info.height, message.info.width = cost.shape
    origin = message.info.origin
    origin.position.x, origin.position.y = float(shape.x_m[0]), float(shape.y_m[0])
    origin.position.z = float(ground_z_m)
    origin.orientation.w = 1.0
    message.data = message_array('b', np.ascontiguousarray(cost))
    return message


def make_scan(
    ranges_m: NDArray[np.float64], shape: SweepShape, period_s: float, header: Header
) -> LaserScan:
    """
    Return ranges as a message.

    :param period_s: between the last two
    """
    return LaserScan(
        header=header,
        angle_min=float(shape.bearings_rad[0]),
        angle_max=float(shape.bearings_rad[-1]),
        angle_increment=float(shape.increment_rad),
        time_increment=0.0,
        scan_time=float(period_s),
        range_min=float(shape.range_m[0]),
        range_max=float(shape.range_m[1]),
        ranges=message_array('f', ranges_m.astype(np.float32).tobytes()),
    )


def make_polygon(
    corners_m: NDArray[np.float64], ground_z_m: float, header: Header
) -> PolygonStamped:
    """Return an outline, (N, 2), as a message."""
    z = float(ground_z_m)
    points = [Point32(x=x, y=y, z=z) for x, y in corners_m.tolist()]
    return PolygonStamped(header=header, polygon=Polygon(points=points))


def make_obstacles(contacts: Contacts, ground_z_m: float, header: Header) -> PointCloud2:
    """Return contact points with class id and confidence as a message, in no order."""
    points = np.zeros((1, len(contacts.class_ids)), CONTACT_TYPE)
    points['x'], points['y'] = contacts.points_m.T
    points['z'] = ground_z_m
    points['confidence'] = contacts.confidence
    points['class_id'] = contacts.class_ids
    return _make_cloud(points, header, is_dense=True)


def make_points(points_m: NDArray[np.float32], ground_z_m: float, header: Header) -> PointCloud2:
    """Return the place of every pixel, (H, W, 3), as an organised message."""
    raised = np.array(points_m, '<f4', order='C')
    raised[..., 2] += ground_z_m
    return _make_cloud(raised.view(PLACE_TYPE)[..., 0], header, is_dense=False)


def _make_cloud(points: NDArray[np.void], header: Header, *, is_dense: bool) -> PointCloud2:
    layout = points.dtype
    height, width = points.shape
    message = PointCloud2(
        header=header,
        height=height,
        width=width,
        is_bigendian=False,
        is_dense=is_dense,
        point_step=layout.itemsize,
        row_step=layout.itemsize * width,
    )
    for name, (kind, offset, *_) in (layout.fields or {}).items():
        message.fields.append(
            PointField(name=name, offset=offset, datatype=_FIELD_KINDS[kind.str[1:]], count=1)
        )
    message.data = message_array('B', points.tobytes())
    return message
