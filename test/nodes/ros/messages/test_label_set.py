"""A label set comes out of its message as it went in."""

import math

import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from espnet_ros.exceptions import InputError
from espnet_ros.labels import LabelClass, LabelSet, load_label_set, shipped_label_sets
from espnet_ros.nodes.ros.messages.label_set import make_label_set_message, read_label_set_message
from std_msgs.msg import ColorRGBA, Header


def facts(label_set):
    return [(c.name, c.color_rgb, c.cost, c.is_flat) for c in label_set.classes]


@pytest.mark.parametrize('name', shipped_label_sets())
def test_shipped_label_sets_go_and_come(name):
    label_set = load_label_set(name)
    message = make_label_set_message(label_set, 'some_model', 254, Header())
    assert (message.model, message.unlabelled_id) == ('some_model', 254)
    found = read_label_set_message(message)
    assert (found.name, found.void_id) == (label_set.name, label_set.void_id)
    assert facts(found) == facts(label_set)


def test_what_is_flat_and_never_driven_over_stays_flat():
    water = LabelSet('lake', (LabelClass('water', (0, 0, 255), 100, True),))
    (found,) = read_label_set_message(make_label_set_message(water, '', 255, Header())).classes
    assert (found.cost, found.is_flat) == (100, True)


@pytest.mark.parametrize(
    ('field', 'value', 'words'),
    [
        ('id', 3, 'expected ids 0, 1, 2'),
        ('cost', 101, 'cost of 0 to 100'),
        ('color', ColorRGBA(r=math.nan), 'color of 0 to 1, found'),
        ('color', ColorRGBA(g=255.0), 'color of 0 to 1, found'),
    ],
)
def test_a_message_that_makes_no_sense_is_refused(field, value, words):
    message = make_label_set_message(load_label_set('camvid'), '', 255, Header())
    setattr(message.classes[1], field, value)
    with pytest.raises(InputError, match=words):
        read_label_set_message(message)
