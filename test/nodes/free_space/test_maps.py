"""Masks go in and metres come out, through real topics."""

from contextlib import suppress
import math
from pathlib import Path
import time

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no rclpy')
pytest.importorskip('nav_msgs', reason='no nav_msgs')

from espnet_ros.config import FreeSpaceSettings
from espnet_ros.exceptions import ConfigError
from espnet_ros.nodes.free_space.messages import CONTACT_TYPE, PLACE_TYPE
from espnet_ros.nodes.free_space.pipeline import make_shapes
from espnet_ros.nodes.parameter_file import format_parameter_file, FREE_SPACE_HEADING
from espnet_ros.nodes.ros.messages.images import array_to_image
from espnet_ros.nodes.ros.qos import latched_qos
from espnet_ros.planning.observer import GroundObserver
from espnet_ros.settings import list_settings, read_settings
from geometry_msgs.msg import PolygonStamped
from live_settings import set_parameter
from nav_msgs.msg import OccupancyGrid
from rclpy.qos import DurabilityPolicy
from sensor_msgs.msg import Image, LaserScan, PointCloud2
from status_reader import ERROR, values
from street_truth import labels_from_above

from .scene import Camera, cells, FRAME, ROAD_AHEAD, SIZE, status_of, STREET

CONFIG = Path(__file__).parents[3] / 'config' / 'free_space.yaml'


def test_the_map_is_in_metres_and_has_the_stamp_of_the_image(ros, free_space):
    free_space(fusion__enabled=False)
    inbox = ros.listen(OccupancyGrid, 'free_space/costmap', latched_qos())
    message = Camera(ros).send_until(inbox)
    assert message.header.frame_id == 'base_link'
    assert (message.info.width, message.info.height) == (200, 200)
    assert message.info.resolution == pytest.approx(0.1)
    assert (message.info.origin.position.x, message.info.origin.position.y) == (0.0, -10.0)
    cost = cells(message)
    assert {-1, 0, 100} <= set(np.unique(cost)) <= {-1, 0, 40, 100}
    x = 0.05 + 0.1 * np.arange(200)
    scene = STREET.scene(0)
    assert (cost[ROAD_AHEAD] == 0).all(), 'the road ahead of the car is free'
    truth = labels_from_above(scene, x[None], (x - 10)[:, None])
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
    assert info.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
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
        confidence = np.full(SIZE, 204, np.uint8)
        confidences.publish(array_to_image(confidence, 'mono8', headers[-1]))
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


def test_padded_rows_of_a_mask_are_honoured(ros, free_space):
    free_space()
    inbox = ros.listen(LaserScan, 'free_space/scan')
    camera = Camera(ros)
    plain = np.array(camera.send_until(inbox).ranges)
    inbox.clear()
    padded = array_to_image(np.pad(FRAME.labels, ((0, 0), (0, 16))), 'mono8', camera.header())
    padded.width = SIZE[1]
    camera.infos.publish(camera.info(padded.header))
    camera.masks.publish(padded)
    message = inbox.wait_for(lambda m: m.header.stamp == padded.header.stamp)
    assert np.array_equal(np.array(message.ranges), plain, equal_nan=True)


def test_a_live_change_of_the_map_is_taken(ros, free_space):
    free_space()
    inbox = ros.listen(OccupancyGrid, 'free_space/costmap')
    camera = Camera(ros)
    camera.send_until(inbox)
    assert set_parameter(ros, 'grid.resolution_m', 0.2, 'free_space').successful
    camera.send()
    assert inbox.wait_for(lambda m: m.info.width == 100).info.height == 100
    result = set_parameter(ros, 'grid.x_max_m', -1.0, 'free_space')
    assert not result.successful
    assert 'grid: expected 1 to' in result.reason
    result = set_parameter(ros, 'grid.x_max_m', math.inf, 'free_space')
    assert not result.successful
    assert 'grid.x_max_m' in result.reason
    assert set_parameter(ros, 'grid.resolution_m', 0.1, 'free_space').successful


@pytest.mark.parametrize(
    'entry', [e for e in list_settings(FreeSpaceSettings) if isinstance(e.default, float)],
    ids=lambda entry: entry.name,
)  # fmt: skip
def test_no_number_is_worse_than_refused(entry):
    for value in (entry.minimum, entry.maximum):
        with suppress(ConfigError):
            make_shapes(read_settings(FreeSpaceSettings, {entry.name: value}))
    with pytest.raises(ConfigError, match=entry.name):
        read_settings(FreeSpaceSettings, {entry.name: math.inf})


def test_a_map_too_far_away_to_remember_is_refused():
    far = {'grid.x_min_m': 999.0, 'grid.x_max_m': 1000.0, 'grid.resolution_m': 0.01}
    with pytest.raises(ConfigError, match='grid: expected corners at most'):
        make_shapes(read_settings(FreeSpaceSettings, far))


def test_the_parameter_file_is_up_to_date():
    assert CONFIG.read_text() == format_parameter_file(FreeSpaceSettings, FREE_SPACE_HEADING), (
        'run: python -m espnet_ros.nodes.parameter_file free_space > config/free_space.yaml'
    )


def test_a_machine_that_is_too_slow_shows_the_newest_mask(ros, free_space, monkeypatch):
    """A camera of 20 Hz, and a tenth of a second and a half for each mask."""
    observe = GroundObserver.observe

    def observe_slowly(*arguments):
        time.sleep(0.15)
        return observe(*arguments)

    monkeypatch.setattr(GroundObserver, 'observe', observe_slowly)
    free_space(max_age_ms=2000.0)
    inbox = ros.listen(LaserScan, 'free_space/scan')
    camera = Camera(ros)
    status_of(ros, 'ground', lambda s: int(values(s)['frames_published']) >= 25, camera.send)
    status = status_of(
        ros, 'latency', lambda s: values(s)['age_ms_p50'] != 'unavailable', camera.send
    )
    assert float(values(status)['age_ms_p50']) < 1700
    assert len(camera.sent) > 1.5 * len(inbox.messages), 'it is too slow'


def test_a_fault_of_the_program_is_told_and_ends_nothing(ros, free_space, monkeypatch):
    def fail(message):
        raise ZeroDivisionError('a fault')

    free_space()
    inbox = ros.listen(LaserScan, 'free_space/scan')
    camera = Camera(ros)
    with monkeypatch.context() as broken:
        broken.setattr('espnet_ros.nodes.free_space.synchronization.mask_parts.mask_values', fail)
        status = status_of(
            ros, 'ground', lambda s: s.message == 'ZeroDivisionError: a fault', camera.send
        )
    assert status.level == ERROR
    camera.send_until(inbox)
