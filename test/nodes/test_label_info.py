from dataclasses import dataclass
import sys
import types

import pytest

pytest.importorskip('std_msgs', reason='no ROS messages')

from espnet_ros.labels import LabelSet
from espnet_ros.nodes.label_info import label_info_types, make_label_info
from std_msgs.msg import Header

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
    monkeypatch.setattr('espnet_ros.nodes.label_info.find_spec', lambda _: None)
    assert label_info_types() is None


def test_the_message_types_come_from_vision_msgs(monkeypatch):
    monkeypatch.setattr('espnet_ros.nodes.label_info.find_spec', lambda name: name)
    module = types.ModuleType('vision_msgs.msg')
    monkeypatch.setitem(sys.modules, 'vision_msgs', types.ModuleType('vision_msgs'))
    monkeypatch.setitem(sys.modules, 'vision_msgs.msg', module)
    assert label_info_types() is module
