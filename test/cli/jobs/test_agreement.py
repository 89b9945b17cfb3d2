"""Agreement of label maps, counted by hand."""

from espnet_ros.cli.jobs._agreement import Agreement
import numpy as np
import pytest

A = np.array([[0, 0, 1, 1], [2, 2, 2, 255]], np.uint8)
B = np.array([[0, 1, 1, 1], [2, 2, 0, 255]], np.uint8)


def test_differing_pixels_are_counted_by_image_and_overall() -> None:
    agreement = Agreement()
    assert agreement.add('same', A, A).agreement == 1
    image = agreement.add('other', A, B)
    assert (image.pixels, image.differing) == (8, 2)
    assert agreement.overall == pytest.approx(14 / 16)
    assert [i.name for i in agreement.worst(1)] == ['other']


def test_change_of_every_class_is_told() -> None:
    agreement = Agreement()
    agreement.add('image', A, B)
    first, second, third, fourth = agreement.changes(('a', 'b', 'c', 'never'))
    assert (first.share_a, first.share_b, first.iou) == (2 / 8, 2 / 8, pytest.approx(1 / 3))
    assert (second.share_a, second.share_b, second.iou) == (2 / 8, 3 / 8, pytest.approx(2 / 3))
    assert third.iou == pytest.approx(2 / 3)
    assert fourth.iou is None


def test_nothing_compared_is_no_agreement() -> None:
    assert Agreement().overall == 0
