"""What a mask means comes with it, through real topics, in the default configuration."""

import types

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no rclpy')
pytest.importorskip('nav_msgs', reason='no nav_msgs')

from espnet_ros.exceptions import ConfigError
from espnet_ros.labels import LabelSet, load_label_set
from espnet_ros.msg import LabelSet as LabelSetMessage
from espnet_ros.nodes.ros.qos import latched_qos
from live_settings import set_parameter
from sensor_msgs.msg import LaserScan
from status_reader import ERROR, values
from std_msgs.msg import Header

from .scene import add_seconds, Camera, CAMVID, cells, FRAME, ROAD_AHEAD, status_of

CITYSCAPES = load_label_set('cityscapes')
SAME = {
    'pavement': 'sidewalk', 'tree': 'vegetation', 'sign': 'traffic sign', 'pedestrian': 'person',
    'bicyclist': 'rider',
}  # fmt: skip
TO_CITYSCAPES = np.array(
    [CITYSCAPES.id_of(SAME.get(name, name)) for name in CAMVID.names], np.uint8
)


def as_cityscapes():
    """Return the labels of the street by ids of Cityscapes."""
    return TO_CITYSCAPES[FRAME.labels]


def paved():
    """Return the labels of the street with a stretch of pavement."""
    labels = FRAME.labels.copy()
    labels[220:, 100:200] = CAMVID.id_of('pavement')
    return labels


def costs_of(message):
    return set(np.unique(cells(message)).tolist())


def test_nothing_goes_out_before_it_is_known_what_the_ids_mean(ros, free_space, maps):
    free_space(max_age_ms=200.0)
    scans = ros.listen(LaserScan, 'free_space/scan')
    camera = Camera(ros, label_set=None)
    status = status_of(ros, 'ground', lambda s: 'label_set: expected' in s.message, camera.send)
    assert status.level == ERROR
    assert 'on /label_set, found nothing (1 publisher)' in status.message
    assert int(values(status)['dropped_labels']) > 0
    assert not maps.messages and not scans.messages
    camera.mean(CAMVID)
    assert (cells(camera.send_until(maps))[ROAD_AHEAD] == 0).all()


@pytest.mark.parametrize(
    ('label_set', 'labels'), [(CAMVID, lambda: FRAME.labels), (CITYSCAPES, as_cityscapes)]
)
def test_every_model_is_understood_by_itself(ros, free_space, maps, label_set, labels):
    free_space()
    camera = Camera(ros, label_set=None)
    camera.mean(label_set, model='a_model')
    cost = cells(camera.send_until(maps, labels=labels()))
    assert (cost[ROAD_AHEAD] == 0).all()
    assert (cost >= 0).mean() > 0.15
    status = status_of(
        ros, 'state', lambda s: values(s)['label_set'] == label_set.name, camera.send
    )
    found = values(status)
    assert (found['model'], found['label_set_source']) == ('a_model', 'topic /label_set')


def test_a_mask_keeps_the_meaning_that_it_had_when_its_image_was_taken(ros, free_space, maps):
    """The new set is heard first; a mask of before is read by the old one all the same."""
    free_space(fusion__enabled=False)
    camera = Camera(ros)
    camera.send_until(maps)
    before = camera.header()
    after = Header(frame_id=before.frame_id, stamp=add_seconds(before.stamp, 0.05))
    camera.mean(CITYSCAPES, after.stamp)
    camera.send(as_cityscapes())
    status_of(ros, 'state', lambda s: values(s)['label_set'] == 'cityscapes', lambda: (
        camera.send(as_cityscapes())
    ))  # fmt: skip
    # Masks that arrive in the order of their stamps around another change.
    change = add_seconds(camera.header().stamp, 0.05)
    first = Header(frame_id=before.frame_id, stamp=add_seconds(change, -0.04))
    second = Header(frame_id=before.frame_id, stamp=change)
    camera.mean(CAMVID, change)
    camera.send(as_cityscapes(), first)
    camera.send(FRAME.labels, second)
    for header in (first, second):
        cost = cells(maps.wait_for(lambda m, h=header: m.header.stamp == h.stamp))
        assert (cost[ROAD_AHEAD] == 0).all()


def test_images_of_before_the_first_set_are_not_guessed(ros, free_space, maps):
    free_space(max_age_ms=500.0)
    camera = Camera(ros, label_set=None)
    camera.mean(CAMVID, add_seconds(camera.header().stamp, 3600))
    status = status_of(
        ros, 'ground', lambda s: 'found the first one for images from' in s.message, camera.send
    )
    assert status.level == ERROR
    assert not maps.messages


def test_a_named_set_that_contradicts_the_masks_stops_everything(ros, free_space, maps):
    free_space(label_set='cityscapes')
    camera = Camera(ros)
    status = status_of(
        ros,
        'ground',
        lambda s: "expected 'road' as class 0, found 'sky'" in s.message,
        camera.send,
    )
    assert status.level == ERROR
    assert 'cannot' not in status.message and 'use label_set: auto' in status.message
    assert not maps.messages


def test_a_named_set_serves_masks_of_which_nobody_tells_anything(ros, free_space, maps):
    from espnet_ros.nodes.ros.messages.images import array_to_image
    from sensor_msgs.msg import CameraInfo, Image

    free_space(label_set='camvid')
    masks, infos = ros.publisher(Image, 'mask'), ros.publisher(CameraInfo, 'camera_info')
    sender = types.SimpleNamespace(ros=ros)

    def send():
        header = Camera.header(sender)
        infos.publish(Camera.info(sender, header))
        masks.publish(array_to_image(FRAME.labels, 'mono8', header))
        return maps.messages

    ros.wait_until(send, 'a map')
    assert (cells(maps.messages[-1])[ROAD_AHEAD] == 0).all()


def test_ids_that_the_label_set_does_not_have_stop_everything(ros, free_space, maps):
    """Raw ids of a data set, for example, of which some are those of other classes."""
    free_space()
    camera = Camera(ros)
    raw = paved()
    raw[250:, :8] = len(CAMVID.names)
    status = status_of(
        ros, 'ground', lambda s: 'expected ids of 0 to' in s.message, lambda: camera.send(raw)
    )
    assert status.level == ERROR
    assert "'camvid'" in status.message and f'found {len(CAMVID.names)}' in status.message
    assert not maps.messages


def test_own_costs_are_taken_live(ros, free_space, maps):
    free_space(fusion__enabled=False)
    camera = Camera(ros)
    assert costs_of(camera.send_until(maps, labels=paved())) == {-1, 0, 40, 100}
    result = set_parameter(ros, 'costs', ['pavement=25', 'road=3'], 'free_space')
    assert result.successful
    maps.clear()
    camera.send(paved())
    maps.wait_for(lambda m: costs_of(m) == {-1, 3, 25, 100})
    result = set_parameter(ros, 'costs', ['pavement=high'], 'free_space')
    assert not result.successful
    assert "found 'pavement=high'" in result.reason


def test_a_cost_of_a_class_that_the_masks_do_not_have_stops_everything(ros, free_space, maps):
    free_space(costs=['sidewalk=20'])
    camera = Camera(ros)
    status = status_of(ros, 'ground', lambda s: "no class 'sidewalk'" in s.message, camera.send)
    assert status.level == ERROR
    assert not maps.messages


def test_a_cost_of_a_class_that_the_named_set_does_not_have_is_refused_at_start(ros, free_space):
    with pytest.raises(ConfigError, match="no class 'sidewalk'"):
        free_space(label_set='camvid', costs=['sidewalk=20'])


@pytest.mark.parametrize(
    'label_set',
    [load_label_set('pascal_voc'), LabelSet.from_names(tuple(f'class {i}' for i in range(12)))],
    ids=['nothing to drive on', 'a foreign model without names'],
)
def test_classes_without_a_cost_give_no_map(ros, free_space, maps, label_set):
    free_space()
    camera = Camera(ros, label_set=label_set)
    status = status_of(
        ros,
        'ground',
        lambda s: 'expected a class with a cost of 0 to 99' in s.message,
        camera.send,
    )
    assert status.level == ERROR
    assert not maps.messages


def test_unlabelled_pixels_are_those_that_the_set_tells(ros, free_space, maps):
    """Here id 4 means no label, so pavement, which has that id too, is never known."""
    free_space(fusion__enabled=False)
    camera = Camera(ros, label_set=None)
    camera.mean(CAMVID, unlabelled_id=CAMVID.id_of('pavement'))
    assert costs_of(camera.send_until(maps, labels=paved())) == {-1, 0, 100}


def test_two_cameras_may_have_two_models(ros, free_space):
    free_space(cameras=['left', 'right'], mount__yaw_rad=[0.6, -0.6])
    scans = ros.listen(LaserScan, 'free_space/scan')
    left = Camera(ros, 'left', CAMVID)
    right = Camera(ros, 'right', CITYSCAPES)

    def both_see_far():
        left.send()
        right.send(as_cityscapes())
        ranges = [np.array(m.ranges) for m in list(scans.messages)]
        return any(np.isinf(r[:150]).any() and np.isinf(r[-150:]).any() for r in ranges)

    ros.wait_until(both_see_far, 'free ranges on both sides')
    status = status_of(ros, 'state', lambda s: ';' in values(s)['label_set'], left.send)
    assert values(status)['label_set'] == 'left: camvid; right: cityscapes'


def test_two_nodes_that_publish_different_classes_give_no_map(ros, free_space, maps, monkeypatch):
    """A node of the same name with another model was left running."""
    from espnet_ros.nodes.ros.messages.label_set import make_label_set_message

    monkeypatch.setattr('espnet_ros.nodes.free_space.synchronization.meaning.CONTRADICTION_S', 1.0)
    free_space()
    camera = Camera(ros)
    camera.send_until(maps)
    other = ros.publisher(LabelSetMessage, 'label_set', latched_qos())

    def send():
        other.publish(make_label_set_message(CITYSCAPES, 'left_running', 255, Header()))
        camera.mean(CAMVID)
        camera.send()

    status = status_of(ros, 'ground', lambda s: 'expected one publisher' in s.message, send)
    assert status.level == ERROR
    assert 'found 2 that tell different classes' in status.message
    maps.clear()
    status_of(ros, 'ground', lambda s: int(values(s)['dropped_labels']) > 5, send)
    assert not maps.messages
    ros.probe.destroy_publisher(other)
    camera.mean(CAMVID)
    assert (cells(camera.send_until(maps))[ROAD_AHEAD] == 0).all()


def test_a_message_that_makes_no_sense_is_told(ros, free_space, maps):
    from espnet_ros.nodes.ros.messages.label_set import make_label_set_message

    free_space()
    camera = Camera(ros, label_set=None)
    message = make_label_set_message(CAMVID, '', 255, Header())
    message.classes[2].id = 9
    camera.sets.publish(message)
    status = status_of(ros, 'ground', lambda s: 'expected ids 0, 1, 2' in s.message, camera.send)
    assert status.level == ERROR
    assert not maps.messages


def test_class_names_of_vision_msgs_that_contradict_stop_everything(
    ros, free_space, maps, monkeypatch
):
    """A stand-in carries the names as text, as no wheel of vision_msgs exists."""

    class LabelInfo(Header):
        @property
        def class_map(self):
            pairs = (entry.split(':') for entry in self.frame_id.split(','))
            return [types.SimpleNamespace(class_id=int(i), class_name=n) for i, n in pairs]

        @property
        def header(self):
            return self

    monkeypatch.setattr(
        'espnet_ros.nodes.free_space.synchronization.camera_input.label_info_types',
        lambda: types.SimpleNamespace(LabelInfo=Header),
    )
    for name in ('class_map', 'header'):
        monkeypatch.setattr(Header, name, vars(LabelInfo)[name], raising=False)
    free_space(max_age_ms=300.0)
    names = ros.publisher(Header, 'label_info', latched_qos())
    camera = Camera(ros)
    names.publish(Header(frame_id='0:sky,1:building,2:pole'))
    camera.send_until(maps)
    names.publish(Header(frame_id='0:road,1:sidewalk'))
    status = status_of(
        ros, 'ground', lambda s: "expected 'sky' as class 0" in s.message, camera.send
    )
    assert status.level == ERROR
    maps.clear()
    status_of(ros, 'ground', lambda s: int(values(s)['dropped_labels']) > 5, camera.send)
    assert not maps.messages
