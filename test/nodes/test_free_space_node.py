"""Masks go in and metres come out, through real topics."""

from importlib.machinery import ModuleSpec
import math
from pathlib import Path
import sys
import types

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no rclpy')
pytest.importorskip('nav_msgs', reason='no nav_msgs')

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from espnet_ros.config import FreeSpaceSettings
from espnet_ros.nodes.conversions import array_to_image
from espnet_ros.nodes.free_space.messages import CONTACT_TYPE, PLACE_TYPE
from espnet_ros.nodes.free_space_node import FreeSpaceNode
from espnet_ros.nodes.parameter_file import format_parameter_file, FREE_SPACE_HEADING
from espnet_ros.nodes.qos import latched_qos
from espnet_ros.sources.street import StreetSource
from geometry_msgs.msg import PolygonStamped, TransformStamped
from nav_msgs.msg import OccupancyGrid
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from rclpy.qos import QoSDurabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, LaserScan, PointCloud2
from std_msgs.msg import Header, String

CONFIG = Path(__file__).parents[2] / 'config' / 'free_space.yaml'
SIZE = (270, 480)
STREET = StreetSource(size=SIZE, seed=2)
FRAME = STREET.frame(0)
MOUNT = {'mount.height_m': [STREET.camera.height_m], 'mount.pitch_rad': [STREET.camera.pitch_rad]}
OPTICAL = 'camera_optical_frame'


class Camera:
    """Publishes masks and calibrations as a segmentation node would."""

    def __init__(self, ros, name=''):
        prefix = f'{name}/' if name else ''
        self.ros = ros
        self.sent = []
        self._masks = ros.publisher(Image, f'{prefix}mask')
        self._infos = ros.publisher(CameraInfo, f'{prefix}camera_info')

    def header(self, age_s=0.0, frame_id=OPTICAL):
        now = self.ros.probe.get_clock().now().nanoseconds - int(age_s * 1e9)
        header = Header(frame_id=frame_id)
        header.stamp.sec, header.stamp.nanosec = divmod(now, 10**9)
        return header

    def info(self, header, **changes):
        model = STREET.camera
        k = [model.fx, 0.0, model.cx, 0.0, model.fy, model.cy, 0.0, 0.0, 1.0]
        values = {'height': SIZE[0], 'width': SIZE[1], 'distortion_model': 'plumb_bob', 'k': k}
        return CameraInfo(header=header, d=[0.0] * 5, **{**values, **changes})

    def send(self, labels=FRAME.labels, header=None, **changes):
        header = header or self.header()
        self._infos.publish(self.info(header, **changes))
        self._masks.publish(array_to_image(labels, 'mono8', header))
        self.sent.append(header.stamp)
        return header

    def send_until(self, inbox, **arguments):
        """Send until something comes out, as the first calibration may follow the mask."""

        def answered():
            self.send(**arguments)
            return inbox.messages

        self.ros.wait_until(answered, 'output')
        message = inbox.messages[-1]
        assert message.header.stamp in self.sent
        return message


@pytest.fixture
def free_space(ros):
    """Return what starts a free space node over the street's masks."""

    def start(**parameters):
        values = {'label_set': 'camvid', 'pose_source': 'parameters', 'max_age_ms': 20000.0}
        values |= MOUNT | {name.replace('__', '.'): v for name, v in parameters.items()}
        return ros.add(
            FreeSpaceNode(
                context=ros.context,
                use_global_arguments=False,
                parameter_overrides=[Parameter(n, value=v) for n, v in values.items()],
            )
        )

    return start


def status_of(ros, name, wanted, send=None):
    """Return the first status of a name that is wanted, sending until it comes."""
    found = []

    def look(message):
        found.extend(s for s in message.status if s.name == f'free_space: {name}' and wanted(s))

    ros.probe.create_subscription(DiagnosticArray, '/diagnostics', look, 10)

    def came():
        if send:
            send()
        return found

    ros.wait_until(came, f'status {name}')
    return found[-1]


def test_the_map_is_in_metres_and_has_the_stamp_of_the_image(ros, free_space):
    free_space(fusion__enabled=False)
    inbox = ros.listen(OccupancyGrid, 'free_space/costmap', latched_qos())
    message = Camera(ros).send_until(inbox)
    assert message.header.frame_id == 'base_link'
    assert (message.info.width, message.info.height) == (200, 200)
    assert message.info.resolution == pytest.approx(0.1)
    assert (message.info.origin.position.x, message.info.origin.position.y) == (0.0, -10.0)
    cost = np.array(message.data).reshape(200, 200)
    assert {-1, 0, 100} <= set(np.unique(cost)) <= {-1, 0, 40, 100}
    x = 0.05 + 0.1 * np.arange(200)
    scene = STREET.scene(0)
    ahead = cost[98:103, 60:100]
    assert (ahead == 0).all(), 'the road ahead of the car is free'
    truth = scene.labels_from_above(x[None], (x - 10)[:, None])
    seen = cost >= 0
    road = STREET.label_set.id_of('road')
    agreement = ((cost == 0) == (truth == road))[seen].mean()
    assert agreement > 0.97


def test_ranges_outline_and_obstacles_agree(ros, free_space):
    free_space()
    scans = ros.listen(LaserScan, 'free_space/scan')
    outlines = ros.listen(PolygonStamped, 'free_space/free_space')
    obstacles = ros.listen(PointCloud2, 'free_space/obstacles')
    camera = Camera(ros)
    scan = camera.send_until(scans)
    ranges = np.array(scan.ranges)
    bearings = scan.angle_min + scan.angle_increment * np.arange(ranges.size)
    assert ranges.size == round((scan.angle_max - scan.angle_min) / scan.angle_increment) + 1
    outside = np.abs(bearings) > math.radians(35)
    assert np.isnan(ranges[outside]).all()
    hits = ranges[np.isfinite(ranges)]
    assert hits.size > 20
    assert (hits >= scan.range_min).all() and (hits <= scan.range_max).all()
    outline = camera.send_until(outlines).polygon.points
    assert len(outline) > 20
    assert max(math.hypot(p.x, p.y) for p in outline) <= 20.01
    cloud = camera.send_until(obstacles)
    points = np.frombuffer(cloud.data, CONTACT_TYPE)
    assert (cloud.width, cloud.height, cloud.point_step) == (points.size, 1, 20)
    assert [f.name for f in cloud.fields] == ['x', 'y', 'z', 'confidence', 'class_id']
    assert np.isnan(points['confidence']).all(), 'no confidence is not confidence 0'
    places = np.hypot(points['x'], points['y'])
    i = int(np.nanargmin(np.where(np.isinf(ranges), np.nan, ranges)))
    same = np.abs(np.arctan2(points['y'], points['x']) - bearings[i]) < 0.01
    assert places[same].min() == pytest.approx(ranges[i], abs=0.1)


def test_the_cloud_is_what_navs_segmentation_layer_asks_for(ros, free_space):
    """One point a pixel, organised, float32 x y z, the mask's size and stamp."""
    free_space()
    inbox = ros.listen(PointCloud2, 'free_space/points')
    labels = FRAME.labels.copy()
    labels[200:210] = 255
    cloud = Camera(ros).send_until(inbox, labels=labels)
    assert (cloud.height, cloud.width) == SIZE
    assert cloud.row_step == cloud.point_step * cloud.width
    assert len(cloud.data) == cloud.row_step * cloud.height
    assert [(f.name, f.offset, f.datatype, f.count) for f in cloud.fields] == [
        ('x', 0, 7, 1), ('y', 4, 7, 1), ('z', 8, 7, 1)
    ]  # fmt: skip
    points = np.frombuffer(cloud.data, PLACE_TYPE).reshape(SIZE)
    assert not cloud.is_dense
    sky = labels == STREET.label_set.id_of('sky')
    assert sky.any() and np.isnan(points['x'][sky]).all(), 'the sky is nowhere'
    road = FRAME.labels[-1] == STREET.label_set.id_of('road')
    assert np.isfinite(points['x'][-1][road]).all()
    # Unlabelled pixels keep their place on the ground: the layer skips their id itself.
    assert np.isfinite(points['x'][205]).all()


def test_the_map_is_latched_until_the_node_stops(ros, free_space):
    node = free_space()
    early = ros.listen(OccupancyGrid, 'free_space/costmap', 1)
    Camera(ros).send_until(early)
    (info,) = ros.probe.get_publishers_info_by_topic('/free_space/costmap')
    assert info.qos_profile.durability == QoSDurabilityPolicy.TRANSIENT_LOCAL
    ros.listen(OccupancyGrid, 'free_space/costmap', latched_qos()).wait_for()
    node.trigger_deactivate()
    ros.wait_until(
        lambda: not ros.probe.get_publishers_info_by_topic('/free_space/costmap'), 'its end'
    )


def test_confidence_is_paired_by_stamp(ros, free_space):
    free_space(use_confidence=True)
    confidences = ros.publisher(Image, 'confidence')
    inbox = ros.listen(PointCloud2, 'free_space/obstacles')
    camera = Camera(ros)
    headers = []

    def send():
        headers.append(camera.send())
        sureness = np.full(SIZE, 204, np.uint8)
        confidences.publish(array_to_image(sureness, 'mono8', headers[-1]))
        return inbox.messages

    ros.wait_until(send, 'obstacles')
    points = np.frombuffer(inbox.messages[0].data, CONTACT_TYPE)
    assert points['confidence'] == pytest.approx(0.8, abs=0.01)


def test_two_cameras_fill_one_map(ros, free_space):
    free_space(cameras=['left', 'right'], mount__yaw_rad=[0.6, -0.6])
    inbox = ros.listen(LaserScan, 'free_space/scan')
    left, right = Camera(ros, 'left'), Camera(ros, 'right')

    def both_are_in():
        left.send()
        right.send()
        ranges = [np.array(m.ranges) for m in list(inbox.messages)]
        return any((~np.isnan(r[:150])).any() and (~np.isnan(r[-150:])).any() for r in ranges)

    ros.wait_until(both_are_in, 'ranges on both sides')


TROUBLES = {
    'uncalibrated': ({}, {'k': [0.0] * 9}, 'the camera is not calibrated'),
    'of another size': ({}, {'height': 270, 'width': 270}, 'expected the proportions of the mask'),
    'fisheye with 5': ({}, {'distortion_model': 'equidistant'}, "found 'equidistant' with 5"),
    'height not set': ({'mount.height_m': [0.0]}, {}, 'expected mount.height_m above 0 m'),
    'at the sky': ({'mount.pitch_rad': [-0.9]}, {}, 'it points at the sky'),
}


@pytest.mark.parametrize('trouble', TROUBLES)
def test_geometry_that_cannot_be_used_stops_the_output_and_is_told(ros, free_space, trouble):
    parameters, changes, words = TROUBLES[trouble]
    free_space(**parameters)
    inbox = ros.listen(OccupancyGrid, 'free_space/costmap')
    camera = Camera(ros)
    status = status_of(ros, 'ground', lambda s: words in s.message, lambda: camera.send(**changes))
    assert status.level == DiagnosticStatus.ERROR
    assert not inbox.messages


def test_a_calibration_of_another_frame_is_refused(ros, free_space):
    free_space()
    camera = Camera(ros)

    def send():
        camera._infos.publish(camera.info(camera.header(frame_id='rear_optical_frame')))
        camera._masks.publish(array_to_image(FRAME.labels, 'mono8', camera.header()))

    status = status_of(ros, 'ground', lambda s: 'it is of another camera' in s.message, send)
    assert status.level == DiagnosticStatus.ERROR


def test_a_mask_without_a_calibration_says_so(ros, free_space):
    free_space()
    masks = ros.publisher(Image, 'mask')
    header = Camera.header
    sender = types.SimpleNamespace(ros=ros)
    status = status_of(
        ros,
        'ground',
        lambda s: 'metres need the calibration' in s.message,
        lambda: masks.publish(array_to_image(FRAME.labels, 'mono8', header(sender))),
    )
    assert status.level == DiagnosticStatus.ERROR


def test_an_old_mask_is_dropped_and_counted(ros, free_space):
    free_space(max_age_ms=300.0)
    inbox = ros.listen(LaserScan, 'free_space/scan')
    camera = Camera(ros)
    status = status_of(
        ros,
        'ground',
        lambda s: 'found 3' in s.message and 'max_age_ms' in s.message,
        lambda: camera.send(header=camera.header(age_s=3.0)),
    )
    assert int({v.key: v.value for v in status.values}['dropped_age']) > 0
    assert not inbox.messages


def test_a_mask_that_is_no_mask_is_told(ros, free_space):
    free_space()
    camera = Camera(ros)

    def send():
        image = np.zeros((*SIZE, 3), np.uint8)
        camera._masks.publish(array_to_image(image, 'rgb8', camera.header()))

    status = status_of(ros, 'ground', lambda s: "found 'rgb8'" in s.message, send)
    assert status.level == DiagnosticStatus.ERROR


def test_padded_rows_of_a_mask_are_honoured(ros, free_space):
    free_space()
    inbox = ros.listen(LaserScan, 'free_space/scan')
    camera = Camera(ros)
    plain = np.array(camera.send_until(inbox).ranges)
    inbox.clear()
    padded = array_to_image(np.pad(FRAME.labels, ((0, 0), (0, 16))), 'mono8', camera.header())
    padded.width = SIZE[1]
    camera._infos.publish(camera.info(padded.header))
    camera._masks.publish(padded)
    message = inbox.wait_for(lambda m: m.header.stamp == padded.header.stamp)
    assert np.array_equal(np.array(message.ranges), plain, equal_nan=True)


def test_masks_of_other_classes_are_refused_where_their_names_are_told(
    ros, free_space, monkeypatch
):
    """A stand-in carries the names as text, as no wheel of vision_msgs exists."""

    class LabelInfo(String):
        @property
        def class_map(self):
            pairs = (entry.split(':') for entry in self.data.split(','))
            return [types.SimpleNamespace(class_id=int(i), class_name=n) for i, n in pairs]

    monkeypatch.setattr(
        'espnet_ros.nodes.free_space.input.label_info_types',
        lambda: types.SimpleNamespace(LabelInfo=String),
    )
    monkeypatch.setattr(String, 'class_map', LabelInfo.class_map, raising=False)
    free_space()
    names = ros.publisher(String, 'label_info', latched_qos())
    inbox = ros.listen(LaserScan, 'free_space/scan')
    camera = Camera(ros)
    names.publish(String(data='0:sky,1:building,2:pole'))
    camera.send_until(inbox)
    names.publish(String(data='0:road,1:sidewalk'))
    status = status_of(
        ros, 'ground', lambda s: "expected 'sky' as class 0" in s.message, camera.send
    )
    assert status.level == DiagnosticStatus.ERROR


def test_a_live_change_of_the_map_is_taken(ros, free_space):
    free_space()
    inbox = ros.listen(OccupancyGrid, 'free_space/costmap')
    camera = Camera(ros)
    camera.send_until(inbox)
    request = SetParameters.Request(
        parameters=[Parameter('grid.resolution_m', value=0.2).to_parameter_msg()]
    )
    (result,) = ros.call(SetParameters, 'free_space/set_parameters', request).results
    assert result.successful
    camera.send()
    assert inbox.wait_for(lambda m: m.info.width == 100).info.height == 100
    request.parameters = [Parameter('grid.x_max_m', value=-1.0).to_parameter_msg()]
    (result,) = ros.call(SetParameters, 'free_space/set_parameters', request).results
    assert not result.successful
    assert 'grid: expected 1 to' in result.reason


def test_tf_is_asked_for_by_name_only_where_it_is_installed(ros, free_space, monkeypatch):
    monkeypatch.setattr('espnet_ros.nodes.free_space.poses.find_spec', lambda _: None)
    free_space(pose_source='tf')
    status = status_of(ros, 'state', lambda s: 'tf2_ros' in s.message)
    assert status.level == DiagnosticStatus.ERROR


class Transforms:
    """Stands for tf2_ros, which has no wheel: what the node asks of it, over a fixed tree."""

    class TransformException(Exception):  # noqa: N818  (its name in tf2_ros)
        """A transform that is not there."""

    def __init__(self):
        self.known = {}
        self.module = types.ModuleType('tf2_ros')
        self.module.__spec__ = ModuleSpec('tf2_ros', None)
        self.module.TransformException = self.TransformException
        self.module.Buffer = lambda: self
        self.module.TransformListener = lambda buffer, node: types.SimpleNamespace(
            unregister=lambda: None
        )

    def lookup_transform(self, target, source, time):
        if (target, source) not in self.known:
            raise self.TransformException(f'"{source}" passed to lookupTransform does not exist')
        (x, y, z), quaternion = self.known[target, source]
        found = TransformStamped()
        shift, turn = found.transform.translation, found.transform.rotation
        shift.x, shift.y, shift.z = x, y, z
        turn.x, turn.y, turn.z, turn.w = quaternion
        return found


@pytest.fixture
def transforms(monkeypatch):
    """Return a tree of transforms that the node finds where tf2_ros would be."""
    tree = Transforms()
    monkeypatch.setitem(sys.modules, 'tf2_ros', tree.module)
    return tree


def camera_transform():
    half = STREET.camera.pitch_rad / 2
    # Pitch about y, after the turn from the optical frame.
    w, x, y, z = 0.5, -0.5, 0.5, -0.5
    c, s = math.cos(half), math.sin(half)
    turned = (c * x + s * z, c * y + s * w, c * z - s * x, c * w - s * y)
    return (0.0, 0.0, STREET.camera.height_m), turned


def test_poses_and_odometry_come_from_tf(ros, free_space, transforms):
    transforms.known['base_link', OPTICAL] = camera_transform()
    transforms.known['odom', 'base_link'] = (100.0, 20.0, 0.0), (0.0, 0.0, 0.38, 0.92)
    free_space(pose_source='auto')
    inbox = ros.listen(OccupancyGrid, 'free_space/costmap')
    camera = Camera(ros)
    cost = np.array(camera.send_until(inbox).data).reshape(200, 200)
    assert (cost[98:103, 60:100] == 0).all()
    status = status_of(ros, 'state', lambda s: s.message == 'running', camera.send)
    values = {v.key: v.value for v in status.values}
    assert (values['pose_source'], values['fusion']) == ('tf', 'on')


def test_a_gap_in_tf_stops_the_output_and_is_told(ros, free_space, transforms):
    free_space(pose_source='tf')
    inbox = ros.listen(OccupancyGrid, 'free_space/costmap')
    camera = Camera(ros)
    status = status_of(ros, 'ground', lambda s: 'expected a transform' in s.message, camera.send)
    assert status.level == DiagnosticStatus.ERROR
    assert OPTICAL in status.message and 'base_link' in status.message
    assert not inbox.messages
    transforms.known['base_link', OPTICAL] = camera_transform()
    camera.send_until(inbox)


def test_a_camera_below_the_ground_is_told(ros, free_space, transforms):
    (x, y, z), turn = camera_transform()
    transforms.known['base_link', OPTICAL] = (x, y, -z), turn
    free_space(pose_source='tf')
    camera = Camera(ros)
    status = status_of(
        ros, 'ground', lambda s: 'expected the camera above the ground' in s.message, camera.send
    )
    assert status.level == DiagnosticStatus.ERROR


def test_the_parameter_file_is_up_to_date():
    assert CONFIG.read_text() == format_parameter_file(FreeSpaceSettings, FREE_SPACE_HEADING), (
        'run: python -m espnet_ros.nodes.parameter_file free_space > config/free_space.yaml'
    )


def test_a_fault_of_the_program_is_told_and_ends_nothing(ros, free_space, monkeypatch):
    def fail(message):
        raise ZeroDivisionError('a fault')

    free_space()
    inbox = ros.listen(LaserScan, 'free_space/scan')
    camera = Camera(ros)
    with monkeypatch.context() as broken:
        broken.setattr('espnet_ros.nodes.free_space.pipeline.mask_values', fail)
        status = status_of(
            ros, 'ground', lambda s: s.message == 'ZeroDivisionError: a fault', camera.send
        )
    assert status.level == DiagnosticStatus.ERROR
    camera.send_until(inbox)


def test_a_gap_in_odometry_leaves_the_map_without_memory_for_a_moment(ros, free_space, transforms):
    transforms.known['base_link', OPTICAL] = camera_transform()
    free_space(pose_source='tf')
    inbox = ros.listen(OccupancyGrid, 'free_space/costmap')
    camera = Camera(ros)
    camera.send_until(inbox)
    status = status_of(
        ros,
        'state',
        lambda s: "to 'odom'" in {v.key: v.value for v in s.values}['fusion'],
        camera.send,
    )
    assert status.level == DiagnosticStatus.OK
