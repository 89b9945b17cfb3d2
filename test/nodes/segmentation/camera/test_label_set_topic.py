"""What the ids of the masks mean goes out before the masks, through real topics."""

import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from cameras import BLUE, image_at, MS, RED, S, stamp_ns_of
from espnet_ros.msg import LabelSet
from espnet_ros.nodes.ros.messages.label_set import read_label_set_message
from espnet_ros.nodes.ros.qos import latched_qos
from live_settings import set_parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

ROOT = Path(__file__).parents[4]
PYTHONPATH = f'{ROOT}:{os.environ.get("PYTHONPATH", "")}'
READER = ROOT / 'test' / 'support' / 'label_set_reader.py'
UNLABELLED = 255


class Reader:
    """Reads label sets and masks in the order in which they come, in one callback group."""

    def __init__(self, ros, camera=''):
        self._ros = ros
        prefix = f'segmentation/{camera}' if camera else 'segmentation'
        self.sets = ros.listen(LabelSet, f'{prefix}/label_set', latched_qos())
        self.masks = ros.listen(Image, f'{prefix}/mask', QoSProfile(depth=100))
        ros.wait_until(lambda: self.sets.messages, 'the first label set')
        self._images = ros.publisher(Image, f'{camera}/image_raw' if camera else 'image_raw')

    def send(self, stamp_ns, color=RED):
        """Send an image and return its mask's first pixel."""
        self._images.publish(image_at(stamp_ns, color))
        mask = self.masks.wait_for(lambda m: stamp_ns_of(m) == stamp_ns)
        return int(np.frombuffer(mask.data, np.uint8)[0])


@pytest.fixture
def seldom(monkeypatch):
    """Have nothing repeated, for tests that count."""
    monkeypatch.setattr('espnet_ros.nodes.segmentation.camera.label_announcer.REPEAT_S', 1e6)


def change(ros, name, value):
    assert set_parameter(ros, name, value).successful


@pytest.mark.usefixtures('seldom')
def test_it_is_there_before_the_first_image_and_then_has_its_stamp(ros, segmentation):
    segmentation()
    reader = Reader(ros)
    message = reader.sets.wait_for()
    assert stamp_ns_of(message) == 0
    assert (message.name, message.model) == ('custom', 'channels')
    assert [(c.id, c.name) for c in message.classes] == [(0, 'blue'), (1, 'green'), (2, 'red')]
    assert read_label_set_message(message).names == ('blue', 'green', 'red')
    assert (message.void_id, message.unlabelled_id) == (LabelSet.NO_ID, UNLABELLED)
    assert reader.send(5 * S) == RED
    announced = reader.sets.wait_for()
    assert (stamp_ns_of(announced), announced.header.frame_id) == (5 * S, 'camera_optical_frame')
    announced.header = message.header
    assert announced == message


@pytest.mark.usefixtures('seldom')
def test_who_comes_late_gets_the_last_one(ros, segmentation):
    segmentation()
    assert Reader(ros).send(5 * S) == RED
    late = ros.listen(LabelSet, 'segmentation/label_set', latched_qos())
    assert stamp_ns_of(late.wait_for()) == 5 * S
    assert not late.messages


@pytest.mark.usefixtures('seldom')
def test_changed_ids_are_announced_with_the_first_image_that_has_them(ros, segmentation):
    segmentation()
    reader = Reader(ros)
    assert reader.send(1 * S) == RED
    reader.sets.wait_for(lambda m: stamp_ns_of(m) == 1 * S)
    change(ros, 'label_groups', 'warm=red; cold=blue')
    assert reader.send(2 * S) == 0
    message = reader.sets.messages[-1]  # it came before the mask
    assert (stamp_ns_of(message), message.name) == (2 * S, 'custom/groups')
    assert [c.name for c in message.classes] == ['warm', 'cold']
    reader.sets.clear()
    change(ros, 'unlabelled_id', 77)
    assert reader.send(3 * S, color=1) == 77
    assert [m.unlabelled_id for m in reader.sets.messages] == [77]
    assert stamp_ns_of(reader.sets.messages[0]) == 3 * S


@pytest.mark.usefixtures('seldom')
def test_it_is_announced_once(ros, segmentation):
    segmentation()
    reader = Reader(ros)
    for step in range(1, 5):
        reader.send(step * S)
    change(ros, 'roi', [0, 0, 8, 8])
    change(ros, 'mask_size', 'network')
    change(ros, 'confidence_threshold', 0.5)
    reader.send(9 * S)
    assert [stamp_ns_of(m) for m in reader.sets.messages] == [0, 1 * S]


@pytest.mark.usefixtures('seldom')
def test_it_is_announced_again_when_stamps_go_back(ros, segmentation):
    segmentation()
    reader = Reader(ros)
    reader.send(1 * S)
    reader.send(8 * S)
    change(ros, 'label_groups', 'warm=red')
    assert reader.send(9 * S) == 0
    assert reader.send(2 * S) == 0  # a recording starts again: these ids have the new meaning too
    assert reader.send(9 * S) == 0
    assert [(stamp_ns_of(m), m.name) for m in reader.sets.messages] == [
        (0, 'custom'), (1 * S, 'custom'), (9 * S, 'custom/groups'), (2 * S, 'custom/groups'),
    ]  # fmt: skip


@pytest.mark.usefixtures('seldom')
def test_each_camera_is_told_of_its_own_images(ros, segmentation):
    segmentation(cameras=['front', 'rear'])
    front, rear = Reader(ros, 'front'), Reader(ros, 'rear')
    front.send(1 * S)
    assert [stamp_ns_of(m) for m in front.sets.messages] == [0, 1 * S]
    change(ros, 'label_groups', 'warm=red')
    front.send(2 * S)
    assert [stamp_ns_of(m) for m in front.sets.messages] == [0, 1 * S, 2 * S]
    assert [stamp_ns_of(m) for m in rear.sets.messages] == [0]
    rear.send(7 * S)
    assert [(stamp_ns_of(m), m.name) for m in rear.sets.messages] == [
        (0, 'custom'),
        (7 * S, 'custom/groups'),
    ]


def test_it_is_repeated_as_it_was_for_readers_that_are_not_latched(ros, segmentation, monkeypatch):
    monkeypatch.setattr('espnet_ros.nodes.segmentation.camera.label_announcer.REPEAT_S', 0.1)
    segmentation()
    Reader(ros).send(5 * S)
    # Reliable and volatile: it gets nothing that was published before it came.
    volatile = ros.listen(LabelSet, 'segmentation/label_set', QoSProfile(depth=10))
    first = volatile.wait_for()
    assert stamp_ns_of(first) == 5 * S
    assert volatile.wait_for() == first
    careless = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
    assert ros.listen(LabelSet, 'segmentation/label_set', careless).wait_for() == first


def test_it_is_repeated_while_simulated_time_stands_still(ros, segmentation, monkeypatch):
    monkeypatch.setattr('espnet_ros.nodes.segmentation.camera.label_announcer.REPEAT_S', 0.1)
    segmentation(use_sim_time=True)
    inbox = ros.listen(LabelSet, 'segmentation/label_set', latched_qos())
    for _ in range(3):
        assert stamp_ns_of(inbox.wait_for()) == 0


@pytest.fixture
def stopped_reader(ros, ros_domain):
    """Return what starts a process that reads label sets, and what stops it at once."""
    process = subprocess.Popen(
        [sys.executable, READER],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {'ROS_DOMAIN_ID': str(ros_domain), 'PYTHONPATH': PYTHONPATH},
    )
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.usefixtures('seldom')
def test_masks_of_changed_ids_wait_for_readers_but_not_for_ever(
    ros, segmentation, stopped_reader, capfd
):
    segmentation()
    reader = Reader(ros)
    assert stopped_reader.stdout.readline() == 'custom\n'
    stopped_reader.send_signal(signal.SIGSTOP)
    reader.send(1 * S)  # the first announcement is no change: nobody is waited for
    reader.send(2 * S)
    assert 'did not acknowledge' not in ''.join(capfd.readouterr())
    change(ros, 'label_groups', 'warm=red')
    started_s = time.monotonic()
    assert reader.send(3 * S) == 0
    assert 0.5 <= time.monotonic() - started_s < 30.0
    assert 'a reader of label_set did not acknowledge it' in ''.join(capfd.readouterr())
    stopped_reader.send_signal(signal.SIGCONT)
    assert stopped_reader.stdout.readline() == 'custom/groups\n'
    change(ros, 'label_groups', 'cold=blue')
    assert reader.send(4 * S, BLUE) == 0
    assert stopped_reader.stdout.readline() == 'custom/groups\n'
    assert 'did not take' not in ''.join(capfd.readouterr())
    assert reader.send(4 * S + MS) == UNLABELLED
