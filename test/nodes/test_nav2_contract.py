"""
What Nav2's semantic_segmentation_layer asks for, from the camera's image to its cloud.

The reader below takes messages as the layer does: best effort, pixels by ``data[v*width+u]``,
mask, confidence and cloud by one stamp, places by the cloud's own fields.
"""

from pathlib import Path
import re

import numpy as np
import pytest
from street_label_sets import street_label_sets
import yaml

pytest.importorskip('rclpy', reason='no rclpy')
pytest.importorskip('nav_msgs', reason='no nav_msgs')

from espnet_ros.labels import load_label_set, parse_grouping
from espnet_ros.nodes.free_space.node import FreeSpaceNode
from espnet_ros.nodes.ros.messages.images import array_to_image
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField
from std_msgs.msg import Header

CONFIG = Path(__file__).parents[2] / 'config' / 'nav2_semantic.yaml'
SIZE = (64, 96)
LABEL_SET = """
name: colors
classes:
  - {name: blue, color: [0, 0, 255]}
  - {name: green, color: [0, 255, 0], cost: 0}
  - {name: red, color: [255, 0, 0], cost: 100}
"""
LAYER_QOS = QoSProfile(depth=50, reliability=ReliabilityPolicy.BEST_EFFORT)


class LayerReader:
    """Collects what the layer would join."""

    def __init__(self, ros):
        self.inboxes = {
            'mask': ros.listen(Image, 'segmentation/mask', LAYER_QOS),
            'confidence': ros.listen(Image, 'segmentation/confidence', LAYER_QOS),
            'cloud': ros.listen(PointCloud2, 'free_space/points', LAYER_QOS),
        }

    def joined(self):
        """Return the newest messages of one stamp, or None."""
        by_stamp = [
            {(m.header.stamp.sec, m.header.stamp.nanosec): m for m in list(inbox.messages)}
            for inbox in self.inboxes.values()
        ]
        common = set.intersection(*map(set, by_stamp))
        return [messages[max(common)] for messages in by_stamp] if common else None


def scene_bgr():
    """Return sky over ground, with a red thing that stands on it and a gray, unsure part."""
    image = np.zeros((*SIZE, 3), np.uint8)
    image[:20, :, 0] = 255
    image[20:, :, 1] = 255
    image[10:40, 40:56] = (0, 0, 255)
    return image


@pytest.fixture
def joined(ros, segmentation, tmp_path):
    """Return mask, confidence and cloud of one image, made by the two real nodes."""
    (tmp_path / 'colors.yaml').write_text(LABEL_SET)
    segmentation(confidence_threshold=0.5)
    names = ('mask', 'confidence', 'camera_info')
    values = {
        'label_set': str(tmp_path / 'colors.yaml'),
        'pose_source': 'parameters',
        'mount.height_m': [1.0],
        'mount.pitch_rad': [0.2],
        'max_age_ms': 20000.0,
        'use_confidence': True,
    }
    rules = [word for name in names for word in ('-r', f'{name}:=segmentation/{name}')]
    ros.start(FreeSpaceNode, values, rules)
    reader = LayerReader(ros)
    images = ros.publisher(Image, 'image_raw')
    infos = ros.publisher(CameraInfo, 'camera_info')
    k = [80.0, 0.0, 47.5, 0.0, 80.0, 31.5, 0.0, 0.0, 1.0]

    def send():
        header = Header(frame_id='camera_optical_frame')
        now = ros.probe.get_clock().now().to_msg()
        header.stamp = now
        infos.publish(
            CameraInfo(header=header, height=SIZE[0], width=SIZE[1], k=k, d=[0.0] * 5,
                       distortion_model='plumb_bob')
        )  # fmt: skip
        images.publish(array_to_image(scene_bgr(), 'bgr8', header))
        return reader.joined()

    ros.wait_until(lambda: send() is not None, 'mask, confidence and cloud of one stamp')
    return reader.joined()


def test_mask_confidence_and_cloud_fit_pixel_by_pixel(joined):
    mask, confidence, cloud = joined
    for image in (mask, confidence):
        assert image.encoding == 'mono8'
        assert image.step == image.width, 'the layer reads data[v * width + u]'
        assert len(image.data) == image.width * image.height
    assert (confidence.height, confidence.width) == (mask.height, mask.width)
    assert (cloud.height, cloud.width) == (mask.height, mask.width)
    fields = {field.name: field for field in cloud.fields}
    for name in 'xyz':
        assert fields[name].datatype == PointField.FLOAT32
        assert fields[name].count == 1
    assert not cloud.is_bigendian
    assert cloud.row_step == cloud.width * cloud.point_step
    assert len(cloud.data) == cloud.height * cloud.row_step


def test_places_are_those_of_the_pixels(joined):
    mask, _, cloud = joined
    labels = np.frombuffer(mask.data, np.uint8).reshape(SIZE)
    offsets = {field.name: field.offset for field in cloud.fields}
    data = np.frombuffer(cloud.data, np.uint8).reshape(-1, cloud.point_step)
    x, y, z = (
        data[:, offsets[name] : offsets[name] + 4].copy().view('<f4').reshape(SIZE)
        for name in 'xyz'
    )
    assert set(np.unique(labels[25:, :30])) == {1}
    # A row looks down by the pitch and its own angle: flat ground, to the millimetre.
    for row in (30, 50, 63):
        ahead = 1.0 / np.tan(0.2 + np.arctan((row - 31.5) / 80))
        assert x[row, 10] == pytest.approx(ahead, abs=1e-3)
        assert z[row, 10] == 0
    assert y[50, 0] > 0 > y[50, 95], 'left is left'
    above_horizon = labels == 0
    above_horizon[15:] = False
    assert np.isnan(x[above_horizon]).all()
    standing = labels == 2
    assert np.ptp(x[standing]) < 0.3
    assert z[standing].max() > 0.3


def read_recipe():
    """Return the semantic layer's parameters, and its costs by the names of the classes."""
    layer = yaml.safe_load(CONFIG.read_text())['local_costmap']['local_costmap'][
        'ros__parameters'
    ]['semantic_layer']
    kinds = [layer['camera'][kind] for kind in layer['camera']['class_types']]
    return layer, {name: kind['max_cost'] for kind in kinds for name in kind['classes']}


@pytest.mark.parametrize('name', street_label_sets())
def test_one_recipe_names_the_roles_of_every_shipped_label_set(name):
    label_set = load_label_set(name)
    grouping = parse_grouping('roles', label_set)
    _, costs = read_recipe()
    assert [group for group, _ in grouping] == list(costs)
    grouped = [member for _, members in grouping for member in members]
    left_out = set(label_set.names) - set(grouped)
    assert left_out <= {'sky', 'void', 'background'}, 'these become 255, which the layer skips'
    assert len(grouped) == len(set(grouped))


@pytest.mark.parametrize('name', street_label_sets())
def test_masks_list_every_role_though_no_class_may_have_it(name):
    """The layer ends its process where a cost of a name that is not listed changes."""
    label_set = load_label_set(name)
    listed = label_set.grouped(parse_grouping('roles', label_set)).names
    assert listed == tuple(read_recipe()[1])


def test_worse_roles_cost_more():
    _, costs = read_recipe()
    assert costs['road'] == 0
    assert costs['road'] < costs['sidewalk'] < costs['rough'] < costs['obstacle'] <= 254


def test_the_recipe_joins_what_has_one_stamp_and_knows_no_field_of_view():
    """A cloud in base_link has no optical frame, which the layer's field of view takes for."""
    layer, _ = read_recipe()
    assert layer['use_approximate_time_sync'] is False
    assert layer['camera']['outside_fov_decay_time'] < 0
    assert not {'camera_horizontal_fov', 'camera_vertical_fov'} & set(layer['camera'])


def test_the_recipe_asks_for_the_groups_that_it_names():
    assert re.search(r'^#   label_groups: roles$', CONFIG.read_text(), re.MULTILINE)


def test_the_recipe_reads_the_topics_of_the_nodes():
    layers = yaml.safe_load(CONFIG.read_text())
    camera = layers['local_costmap']['local_costmap']['ros__parameters']['semantic_layer'][
        'camera'
    ]
    topics = [camera[f'{name}_topic'] for name in ('segmentation', 'confidence', 'pointcloud')]
    assert topics == ['/segmentation/mask', '/segmentation/confidence', '/free_space/points']
    scan = layers['global_costmap']['global_costmap']['ros__parameters']['obstacle_layer']['scan']
    assert scan['topic'] == '/free_space/scan'
    assert scan['inf_is_valid']
