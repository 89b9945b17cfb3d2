from dataclasses import dataclass
import sys
import types

import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from espnet_ros.labels import LabelSet
from espnet_ros.nodes.ros.messages.label_info import label_info_types, make_label_info
from espnet_ros.nodes.ros.qos import latched_qos
from live_settings import set_parameter
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import Header, String

pytestmark = pytest.mark.ros


@dataclass
class LabelInfo:
    header: Header
    class_map: list
    threshold: float


@dataclass
class VisionClass:
    class_id: int
    class_name: str


def test_every_class_is_listed_and_the_unlabelled_id_is_not():
    stand_in = types.SimpleNamespace(LabelInfo=LabelInfo, VisionClass=VisionClass)
    header = Header(frame_id='')
    message = make_label_info(stand_in, LabelSet.from_names(('road', 'car')), 0.5, header)
    assert message.class_map == [VisionClass(0, 'road'), VisionClass(1, 'car')]
    assert (message.threshold, message.header) == (0.5, header)


def test_it_is_left_out_without_vision_msgs(monkeypatch):
    monkeypatch.setattr('espnet_ros.nodes.ros.messages.label_info.find_spec', lambda _: None)
    assert label_info_types() is None


def test_the_message_types_come_from_vision_msgs(monkeypatch):
    monkeypatch.setattr('espnet_ros.nodes.ros.messages.label_info.find_spec', lambda name: name)
    module = types.ModuleType('vision_msgs.msg')
    monkeypatch.setitem(sys.modules, 'vision_msgs', types.ModuleType('vision_msgs'))
    monkeypatch.setitem(sys.modules, 'vision_msgs.msg', module)
    assert label_info_types() is module


@pytest.fixture
def told(monkeypatch):
    """Have label info as text, as no wheel of vision_msgs exists."""
    module = 'espnet_ros.nodes.segmentation.camera.label_announcer'
    types_of_text = types.SimpleNamespace(LabelInfo=String)
    monkeypatch.setattr(f'{module}.label_info_types', lambda: types_of_text)
    monkeypatch.setattr(
        f'{module}.make_label_info',
        lambda _, labels, threshold, header: String(
            data=f'{",".join(labels.names)} {threshold} {header.stamp.sec}'
        ),
    )


@pytest.mark.usefixtures('told')
def test_late_readers_get_it_and_changes_are_told_once(ros, segmentation, monkeypatch):
    monkeypatch.setattr('espnet_ros.nodes.segmentation.camera.label_announcer.REPEAT_S', 1e6)
    segmentation()
    masks = ros.listen(Image, 'segmentation/mask')
    images = ros.publisher(Image, 'image_raw')

    def change(name, value):
        assert set_parameter(ros, name, value).successful
        message = Image(height=1, width=1, step=3, encoding='bgr8', data=[0, 0, 0])
        images.publish(message)
        masks.wait_for()

    late = ros.listen(String, 'segmentation/label_info', latched_qos())
    assert late.wait_for().data.startswith('blue,green,red 0.0 ')
    change('roi', [0, 0, 1, 1])
    change('label_groups', 'warm=red')
    assert late.wait_for().data.startswith('warm 0.0 ')
    change('confidence_threshold', 0.5)
    assert late.wait_for().data.startswith('warm 0.5 ')
    assert not late.messages


@pytest.mark.usefixtures('told')
def test_it_is_repeated_with_its_stamp_for_readers_that_missed_it(ros, segmentation, monkeypatch):
    monkeypatch.setattr('espnet_ros.nodes.segmentation.camera.label_announcer.REPEAT_S', 0.1)
    segmentation()
    volatile = ros.listen(String, 'segmentation/label_info', QoSProfile(depth=10))
    first = volatile.wait_for().data
    assert first.startswith('blue,green,red 0.0 ')
    assert [volatile.wait_for().data for _ in range(15)] == [first] * 15
